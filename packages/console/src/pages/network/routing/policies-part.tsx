// The route policies of a network with what an audit finds in them.
import type { RoutePolicyFinding } from '@powernode/core/intent/bgp';
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { useMemo } from 'react';
import { ListTable } from '../../../app/list-table.tsx';
import { useOpener } from '../../../app/use-opener.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Dialog } from '../../../parts/dialog.tsx';
import { FindingMark } from '../../../parts/service-statuses.tsx';
import { Empty, Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { openAfter, useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { CreatePolicy } from './policy-form.tsx';
import { PolicySheet } from './policy-sheet.tsx';
import { auditLook, type PolicyAudit, usePolicyAudit } from './use-policy-audit.ts';

const columnsOf = (audit: PolicyAudit): readonly Column<RoutePolicy>[] => [
  { id: 'name', header: 'Policy', text: (p) => p.name, width: [10, 1.6], card: 'title' },
  { id: 'direction', header: 'Direction', text: (p) => p.direction, width: [6, 0.5] },
  {
    id: 'statements',
    header: 'Statements',
    text: () => '',
    sort: (p) => p.statements.length,
    cell: (p) => <span className="num">{p.statements.length}</span>,
    width: [6, 0.5],
    end: true,
  },
  {
    id: 'revision',
    header: 'Revision',
    text: () => '',
    sort: (p) => p.revision,
    cell: (p) => <span className="num">{p.revision}</span>,
    width: [5.5, 0.4],
    end: true,
  },
  {
    id: 'findings',
    header: 'Audit',
    text: (p) => audit.of(p.id).map(findingWords).join(' '),
    sort: (p) => -audit.of(p.id).length,
    cell: (p) => <Findings findings={audit.of(p.id)} />,
    width: [12, 2],
    card: 'wide',
  },
];

function findingWords({ kind, object }: RoutePolicyFinding): string {
  return `${kind} statement ${object.seq}`;
}

function Findings({ findings }: { readonly findings: readonly RoutePolicyFinding[] }) {
  const [first, ...more] = findings;
  if (first === undefined) return <span className="muted">—</span>;
  return (
    <>
      <FindingMark finding={first} />
      <span className="muted"> statement {first.object.seq}</span>
      {more.length === 0 ? null : <span className="tag">+{more.length}</span>}
    </>
  );
}

export function PoliciesPart({ network }: ViewProps) {
  const policies = useRows('listRoutePolicies', { network_id: network.id });
  const audit = usePolicyAudit(network.id);
  const columns = useMemo(() => columnsOf(audit), [audit]);
  const facets = useMemo<readonly Facet<RoutePolicy>[]>(
    () => [
      { id: 'direction', any: 'Any direction', of: (p) => p.direction },
      { id: 'finding', any: 'Any finding', of: (p) => audit.of(p.id)[0]?.kind ?? '' },
    ],
    [audit],
  );
  const sheet = useSheet('route_policy');
  const create = useOpener('createRoutePolicy', {
    text: 'New route policy',
    opens: (close) => (
      <Dialog title="New route policy" onClose={close} wide>
        <CreatePolicy network={network} onCancel={close} onDone={openAfter(close, sheet)} />
      </Dialog>
    ),
  });
  return (
    <>
      {network.routing_mode === 'static' ? (
        <Note tone="info" icon="alert">
          Route policies act in networks with iBGP. With static routing they are kept and have no effect.
        </Note>
      ) : null}
      {policies.rows.length === 0 ? null : (
        <div className="view-head">
          <Status {...auditLook(audit)} />
          <span className="view-head-end">{create.button}</span>
        </div>
      )}
      <ListTable
        what="route policies"
        list={policies}
        columns={columns}
        facets={facets}
        selectedKey={sheet.id}
        onOpen={(policy) => sheet.open(policy.id)}
        empty={
          <Empty icon="policies" title="No route policies yet" action={create.button}>
            Without one, the path with the highest preference is best. Import policies act on what each peer
            receives, export policies on what a peer announces.
          </Empty>
        }
      />
      {create.opened}
      {sheet.id === null ? null : (
        <PolicySheet key={sheet.id} id={sheet.id} network={network} audit={audit} onClose={sheet.close} />
      )}
    </>
  );
}
