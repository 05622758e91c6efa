// The last question before a decision: why. A decision is final.
import { type FormEvent, useState } from 'react';
import type { Output } from '../../api/client.ts';
import { refreshAll } from '../../app/query-client.ts';
import { secretsOf, shownOnce } from '../../app/shown-once.ts';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextArea } from '../../parts/form.tsx';
import { ProblemNote } from '../../parts/states.tsx';

export type Decision = 'approve' | 'reject';

const words: Readonly<
  Record<Decision, { readonly title: string; readonly meaning: string; readonly verb: string }>
> = {
  approve: {
    title: 'Approve',
    meaning: 'It is done now, with the permissions that its requester has now.',
    verb: 'Approve and run',
  },
  reject: { title: 'Reject', meaning: 'It is not done, and cannot be approved later.', verb: 'Reject' },
};

export interface DecideDialogProps {
  readonly approval: Output<'getApproval'>['approval'];
  readonly decision: Decision;
  readonly onClose: () => void;
}

export function DecideDialog({ approval, decision, onClose }: DecideDialogProps) {
  const change = useChange('decideApproval');
  const [reason, setReason] = useState('');
  const { title, meaning, verb } = words[decision];

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const said = reason.trim() === '' ? {} : { reason: reason.trim() };
    const answer = await change.run({ approval_id: approval.id, decision, ...said });
    if (answer?.kind !== 'done') return;
    const { status, error, result } = answer.body.approval;
    if (status === 'failed') tell({ tone: 'bad', text: `It was approved and failed: ${detailOf(error)}` });
    else tell({ tone: 'done', text: `${status}: ${approval.summary}` });
    refreshAll();
    shownOnce.set(secretsOf(result));
    onClose();
  }

  return (
    <Dialog title={`${title}: ${approval.summary}`} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <p>{meaning}</p>
        <TextArea
          label="Reason"
          optional
          value={reason}
          onChange={setReason}
          error={change.fieldError('reason')}
        />
        <ProblemNote problem={change.problem} />
        <div className="form-foot">
          <Button onClick={onClose}>Not yet</Button>
          <Button type="submit" variant={decision === 'approve' ? 'primary' : 'danger'} busy={change.busy}>
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
