// Findings of an audit, each with what it is about and what causes it.
import type { FirewallFinding } from '@powernode/core/intent/firewall';
import { consoleChoicesMax } from '@powernode/core/limits/console';
import { count } from '../../../parts/format.ts';
import { Section } from '../../../parts/page.tsx';
import { FindingMark } from '../../../parts/service-statuses.tsx';
import { ObjectLink } from '../object-link.tsx';

interface FindingsProps {
  readonly findings: readonly FirewallFinding[];
  readonly networkId: string;
}

interface FindingLinesProps extends FindingsProps {
  /** The object on whose page they stand: it need not be named. */
  readonly about?: string;
}

export function FindingLines({ findings, networkId, about }: FindingLinesProps) {
  return (
    <ul className="lines">
      {findings.slice(0, consoleChoicesMax).map((finding) => (
        <li key={`${finding.kind} ${finding.object.id} ${finding.by?.id}`} className="line-item">
          <FindingMark finding={finding} />
          <span className="grow">
            {finding.object.id === about ? null : (
              <ObjectLink networkId={networkId} object={finding.object} />
            )}
            {finding.by === null ? null : (
              <>
                {' '}
                by <ObjectLink networkId={networkId} object={finding.by} />
              </>
            )}
          </span>
          <span className="line-more">{finding.detail}</span>
        </li>
      ))}
      {findings.length > consoleChoicesMax ? (
        <li className="hint">and {count(findings.length - consoleChoicesMax, 'more', 'more')}</li>
      ) : null}
    </ul>
  );
}

/** Those that no row of the table can show: about port mappings and virtual IPs. */
export function OtherFindings({ findings, networkId }: FindingsProps) {
  const others = findings.filter((finding) => finding.object.type !== 'firewall_rule');
  if (others.length === 0) return null;
  return (
    <Section title="Other findings">
      <FindingLines findings={others} networkId={networkId} />
    </Section>
  );
}
