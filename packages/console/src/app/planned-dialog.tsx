// Asks before something is done that many machines feel: shows what it would do to which of them, then does it or asks
// for approval.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { ChangeAction, Deferred, Output, Parameters } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Check } from '../parts/form.tsx';
import { PlanView } from '../parts/plan.tsx';
import { Loaded, Note, ProblemNote } from '../parts/states.tsx';
import { Ago } from '../parts/time.tsx';
import { useMay, usePolicyMode } from './permissions.ts';
import { client } from './platform.ts';
import { useChange } from './use-change.ts';

export interface PlannedDialogProps<K extends ChangeAction> {
  readonly action: K;
  readonly parameters: Parameters<K>;
  readonly title: string;
  /** What it means, in a sentence or two; or what is left to choose. */
  readonly children: ReactNode;
  /** What the dry run says beside its plan. */
  readonly about?: (body: Output<K>) => ReactNode;
  /** The dry run says that it would do nothing, so it cannot be asked for. */
  readonly pointless?: (body: Output<K>) => boolean;
  /** On the button: "Delete network". */
  readonly verb: string;
  /** What gives back is not marked as a danger. */
  readonly tone?: 'danger' | 'primary';
  readonly onClose: () => void;
  /** It is done (not: it waits). */
  readonly onDone: (body: Output<K>) => void;
}

export function PlannedDialog<K extends ChangeAction>(props: PlannedDialogProps<K>) {
  const { action, title, children, about, verb, onClose, onDone } = props;
  // What is agreed to is the object that was there when it was asked.
  const [openedRevision] = useState(() => revisionOf(props.parameters));
  const parameters =
    openedRevision === undefined ? props.parameters : { ...props.parameters, if_revision: openedRevision };
  const preview = useQuery({
    queryKey: ['plan', action, parameters],
    queryFn: ({ signal }) => client.previewChange(action, parameters, signal),
    staleTime: 0,
    gcTime: 0,
  });
  const change = useChange(action);
  const mode = usePolicyMode(action);
  const mayDecide = useMay('decideApproval');
  const [approve, setApprove] = useState(false);
  const [deferred, setDeferred] = useState<Deferred | null>(null);
  const needsApproval = mode === 'require_approval' || mode === null;
  const pointless = preview.data === undefined || props.pointless?.(preview.data.body) === true;

  async function run(): Promise<void> {
    const answer = await change.run(approve ? { ...parameters, approve: true } : parameters);
    if (answer?.kind === 'pending') setDeferred(answer.deferred);
    if (answer?.kind === 'done') onDone(answer.body);
  }

  if (deferred !== null) return <WaitsDialog deferred={deferred} onClose={onClose} />;
  return (
    <Dialog title={title} onClose={onClose} wide>
      <div className="stack">{children}</div>
      {preview.data === undefined ? null : about?.(preview.data.body)}
      <section className="section" aria-label="Plan">
        <h3>Plan</h3>
        <Loaded
          what="the plan"
          data={preview.data}
          error={preview.error}
          retry={() => void preview.refetch()}
        >
          {({ plan }) => <PlanView plan={plan} />}
        </Loaded>
      </section>
      {mode === 'require_approval' && !approve ? (
        <Note tone="wait" icon="clock">
          The policy requires approval: the request waits until someone decides.
        </Note>
      ) : null}
      {needsApproval && mayDecide ? (
        <Check
          label="Approve now"
          hint="You have permission to decide this yourself. It is recorded as an approval."
          checked={approve}
          onChange={setApprove}
        />
      ) : null}
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          variant={props.tone ?? 'danger'}
          busy={change.busy}
          disabled={pointless}
          onClick={() => void run()}
        >
          {mode === 'require_approval' && !approve ? `Request to ${verb.toLowerCase()}` : verb}
        </Button>
      </div>
    </Dialog>
  );
}

function revisionOf(parameters: { readonly if_revision?: number }): number | undefined {
  return parameters.if_revision;
}

function WaitsDialog({ deferred, onClose }: { readonly deferred: Deferred; readonly onClose: () => void }) {
  return (
    <Dialog title="Waiting for approval" onClose={onClose}>
      <Note tone="wait" icon="clock" title={deferred.summary}>
        Nothing has changed yet. If nobody decides, the request expires <Ago at={deferred.expires_at} />.
      </Note>
      <div className="form-foot">
        <Button onClick={onClose}>Close</Button>
        <Link
          className="button"
          data-variant="primary"
          to="/approvals/$approvalId"
          params={{ approvalId: deferred.id }}
          onClick={onClose}
        >
          Open the request
        </Link>
      </div>
    </Dialog>
  );
}
