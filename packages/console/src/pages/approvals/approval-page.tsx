// One deferred operation: what was asked, what it would change, and what became of it.
import { Link, useParams } from '@tanstack/react-router';
import type { Output } from '../../api/client.ts';
import { useApproval } from '../../app/use-one.ts';
import { Copyable } from '../../parts/copy.tsx';
import { type Fact, Facts } from '../../parts/facts.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { evidenceOf, PlanView, readPlan } from '../../parts/plan.tsx';
import { Absent, Note } from '../../parts/states.tsx';
import { ApprovalStatusMark } from '../../parts/statuses.tsx';
import { Ago, DateTime } from '../../parts/time.tsx';
import { detailOf } from './decide-dialog.tsx';
import { OnceSecret } from './once-secret.tsx';
import { Answers } from './pending-approval.tsx';

type Approval = Output<'getApproval'>['approval'];

export function ApprovalPage() {
  const { approvalId } = useParams({ from: '/approvals/$approvalId' });
  const { data, error, refetch } = useApproval(approvalId);
  if (data !== undefined) return <Known approval={data.approval} />;
  return (
    <Page title="Approval" crumbs={<Link to="/approvals">Approvals</Link>}>
      <Absent what="the request" error={error} retry={() => void refetch()} />
    </Page>
  );
}

function Known({ approval }: { readonly approval: Approval }) {
  const plan = readPlan(approval.plan);
  const evidence = evidenceOf(approval.plan);
  const pending = approval.status === 'pending';
  return (
    <Page
      title={approval.summary}
      crumbs={<Link to="/approvals">Approvals</Link>}
      marks={<ApprovalStatusMark status={approval.status} chip />}
      actions={pending ? <Answers approval={approval} /> : null}
    >
      {approval.error === null ? null : (
        <Note
          tone="bad"
          icon="alert"
          title={
            approval.decided_by === null
              ? 'Closed: the object has changed since the request'
              : 'Approved, but it failed'
          }
        >
          {detailOf(approval.error)}
        </Note>
      )}
      <OnceSecret approval={approval} />
      {evidence === null ? null : (
        <Note tone="info" icon="events" title="Evidence">
          <p>{evidence}</p>
        </Note>
      )}
      <div className="columns">
        <Section title="Request">
          <div className="panel">
            <Facts facts={requestFacts(approval)} />
          </div>
        </Section>
        <Section title="Plan">
          {plan === null ? <p className="muted">No plan was stored.</p> : <PlanView plan={plan} />}
        </Section>
      </div>
    </Page>
  );
}

function requestFacts(approval: Approval): readonly Fact[] {
  const decided: readonly Fact[] =
    approval.decided_at === null
      ? [['Expires', <Ago key="e" at={approval.expires_at} />]]
      : [
          ['Decided by', approval.decided_by?.name ?? 'nobody: the request expired'],
          ['Decided', <DateTime key="d" at={approval.decided_at} />],
          ['Reason', approval.reason],
        ];
  return [
    ['Requested by', approval.requested_by.name],
    ['Requested', <DateTime key="a" at={approval.created_at} />],
    ...decided,
    ['Action', <code key="c">{approval.action}</code>],
    ['Category', <code key="g">{approval.category}</code>],
    ...Object.entries(approval.input).map(
      ([name, value]): Fact => [name, <code key={name}>{textOf(value)}</code>],
    ),
    ['ID', <Copyable key="i" text={approval.id} label="the ID" />],
  ];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
