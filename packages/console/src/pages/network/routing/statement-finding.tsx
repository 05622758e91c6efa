// What an audit found about a statement, and which other statement is the cause.
import type { RoutePolicyFinding } from '@powernode/core/intent/bgp';
import { FindingMark } from '../../../parts/service-statuses.tsx';

export function StatementFinding({ finding }: { readonly finding: RoutePolicyFinding }) {
  const { by, detail } = finding;
  return (
    <span className="line-more">
      <FindingMark finding={finding} />
      {by === null ? null : ` by statement ${by.seq} of ${by.name}`} <span>{detail}</span>
    </span>
  );
}
