// One change that waits: what, who, what it would do, and the two answers.
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { useMay } from '../../app/permissions.ts';
import { Button } from '../../parts/button.tsx';
import { evidenceOf, PlanView, readPlan } from '../../parts/plan.tsx';
import { Note } from '../../parts/states.tsx';
import { ApprovalStatusMark } from '../../parts/statuses.tsx';
import { Ago } from '../../parts/time.tsx';
import { DecideDialog, type Decision } from './decide-dialog.tsx';

type Approval = Output<'getApproval'>['approval'];

export function PendingApproval({ approval }: { readonly approval: Approval }) {
  const plan = readPlan(approval.plan);
  const evidence = evidenceOf(approval.plan);
  return (
    <article className="panel" aria-label={approval.summary}>
      <div className="row">
        <ApprovalStatusMark status={approval.status} chip />
        <h3 className="grow">
          <Link to="/approvals/$approvalId" params={{ approvalId: approval.id }}>
            {approval.summary}
          </Link>
        </h3>
        <Answers approval={approval} />
      </div>
      <p className="muted">
        Requested by {approval.requested_by.name} <Ago at={approval.created_at} />. Expires{' '}
        <Ago at={approval.expires_at} />. <code>{approval.action}</code>
      </p>
      {evidence === null ? null : (
        <Note tone="info" icon="events" title="Evidence">
          <p>{evidence}</p>
        </Note>
      )}
      {plan === null ? null : <PlanView plan={plan} />}
    </article>
  );
}

export function Answers({ approval }: { readonly approval: Approval }) {
  const may = useMay('decideApproval');
  const [deciding, setDeciding] = useState<Decision | null>(null);
  if (!may) return <span className="hint">Deciding requires system.approvals.decide.</span>;
  return (
    <div className="row">
      <Button variant="primary" icon="check" onClick={() => setDeciding('approve')}>
        Approve
      </Button>
      <Button icon="close" onClick={() => setDeciding('reject')}>
        Reject
      </Button>
      {deciding === null ? null : (
        <DecideDialog approval={approval} decision={deciding} onClose={() => setDeciding(null)} />
      )}
    </div>
  );
}
