// The last question before a decision: why. A decision is final.
import { type FormEvent, useEffect, useState } from 'react';
import type { Output } from '../../api/client.ts';
import { refreshAll } from '../../app/query-client.ts';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { useApproval } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextArea } from '../../parts/form.tsx';
import { PlanFields, readPlan } from '../../parts/plan.tsx';
import { Note, ProblemNote } from '../../parts/states.tsx';

export type Decision = 'approve' | 'reject';

const words: Readonly<
  Record<Decision, { readonly title: string; readonly meaning: string; readonly verb: string }>
> = {
  approve: {
    title: 'Approve',
    meaning: 'The change runs now, with the permissions that the requester has now.',
    verb: 'Approve and run',
  },
  reject: {
    title: 'Reject',
    meaning: 'The change does not run and cannot be approved later.',
    verb: 'Reject',
  },
};

export interface DecideDialogProps {
  readonly approval: Output<'getApproval'>['approval'];
  readonly decision: Decision;
  readonly onClose: () => void;
}

/** Lists may show an older plan, so the request is read again before it is decided. */
export function DecideDialog({ approval: listed, decision, onClose }: DecideDialogProps) {
  const { data, isFetchedAfterMount, refetch } = useApproval(listed.id);
  // The page behind has read it a moment ago, which counts as fresh.
  useEffect(() => void refetch(), [refetch]);
  const approval = data?.approval ?? listed;
  const change = useChange('decideApproval');
  const [reason, setReason] = useState('');
  const { title, meaning, verb } = words[decision];
  const plan = readPlan(approval.plan);
  const failure = plan?.notes?.find(({ code }) => code === 'would_fail');

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const said = reason.trim() === '' ? {} : { reason: reason.trim() };
    const answer = await change.run({
      approval_id: approval.id,
      decision,
      ...said,
      ...(decision === 'approve' ? { if_revision: approval.revision } : {}),
    });
    if (answer === null) void refetch();
    if (answer?.kind !== 'done') return;
    const { status, error } = answer.body.approval;
    if (status === 'failed') tell({ tone: 'bad', text: `Approved, but it failed: ${detailOf(error)}` });
    else tell({ tone: 'done', text: `${status}: ${approval.summary}` });
    refreshAll();
    onClose();
  }

  return (
    <Dialog title={`${title}: ${approval.summary}`} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <p>{meaning}</p>
        {plan === null ? null : <PlanFields plan={plan} />}
        {failure === undefined ? null : (
          <Note tone="bad" icon="alert" title="It would fail">
            {failure.detail} Approving it closes the request as failed.
          </Note>
        )}
        <TextArea
          label="Reason"
          optional
          value={reason}
          onChange={setReason}
          error={change.fieldError('reason')}
        />
        <ProblemNote problem={change.problem} />
        <div className="form-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant={decision === 'approve' ? 'primary' : 'danger'}
            busy={change.busy || !isFetchedAfterMount}
          >
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function detailOf(error: Readonly<Record<string, unknown>> | null): string {
  const detail = error?.['detail'];
  return typeof detail === 'string' ? detail : 'no reason was given';
}
