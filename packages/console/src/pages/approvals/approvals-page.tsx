// What waits for a decision, with what it would do; and what was decided.
import { useNavigate } from '@tanstack/react-router';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Page, Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { ApprovalStatusMark } from '../../parts/statuses.tsx';
import type { Column } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Ago } from '../../parts/time.tsx';
import { PendingApproval } from './pending-approval.tsx';

type Approval = Row<'listApprovals'>;

const columns: readonly Column<Approval>[] = [
  { id: 'summary', header: 'Request', text: (a) => a.summary, width: [14, 2.4], card: 'title' },
  {
    id: 'status',
    header: 'Status',
    text: (a) => a.status,
    cell: (a) => <ApprovalStatusMark status={a.status} />,
    width: [7, 0.7],
  },
  { id: 'asked', header: 'Requested by', text: (a) => a.requested_by.name, width: [7, 0.8] },
  { id: 'decided', header: 'Decided by', text: (a) => a.decided_by?.name ?? '—', width: [7, 0.8] },
  {
    id: 'when',
    header: 'Decided',
    text: (a) => a.decided_at ?? '',
    sort: (a) => a.decided_at,
    cell: (a) => <Ago at={a.decided_at} />,
    width: [7, 0.7],
  },
  { id: 'reason', header: 'Reason', text: (a) => a.reason ?? '—', width: [9, 1.4], card: 'wide' },
  { id: 'category', header: 'Category', text: (a) => a.category, width: [11, 1], mono: true, extra: true },
];

export function ApprovalsPage() {
  const approvals = useRows('listApprovals', {});
  return (
    <Page
      title="Approvals"
      intro="Changes that wait for a decision because their policy requires approval. Requests expire after 4 hours and count as rejected."
    >
      <Loaded what="approvals" data={approvals.data} error={approvals.error} retry={approvals.retry}>
        {(rows) => (
          <>
            <Pending approvals={rows.filter((a) => a.status === 'pending')} />
            <Section title="Decided">
              <History approvals={rows.filter((a) => a.status !== 'pending')} loading={!approvals.complete} />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Pending({ approvals }: { readonly approvals: readonly Approval[] }) {
  if (approvals.length === 0) {
    return (
      <Empty icon="approvals" title="No pending approvals">
        A change whose policy requires approval appears here with its plan.
      </Empty>
    );
  }
  return (
    <Section title="Pending" aside={<span className="count">{approvals.length}</span>}>
      <ul className="stack">
        {approvals.map((approval) => (
          <li key={approval.id}>
            <PendingApproval approval={approval} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function History({
  approvals,
  loading,
}: {
  readonly approvals: readonly Approval[];
  readonly loading: boolean;
}) {
  const navigate = useNavigate();
  return (
    <Table
      what="decisions"
      columns={columns}
      rows={approvals}
      rowKey={(a) => a.id}
      loading={loading}
      onOpen={(a) => void navigate({ to: '/approvals/$approvalId', params: { approvalId: a.id } })}
      empty={<p className="muted">Nothing has been decided yet.</p>}
    />
  );
}
