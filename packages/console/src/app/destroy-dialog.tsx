// Asks before something is taken away: shows what it would do to which machines, then does it or asks for approval.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { ChangeAction, Deferred, Parameters } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Check } from '../parts/form.tsx';
import { PlanView } from '../parts/plan.tsx';
import { Loaded, Note, ProblemNote } from '../parts/states.tsx';
import { Ago } from '../parts/time.tsx';
import { useMay, usePolicyMode } from './permissions.ts';
import { client } from './platform.ts';
import { useChange } from './use-change.ts';

export interface DestroyDialogProps<K extends ChangeAction> {
  readonly action: K;
  readonly parameters: Parameters<K>;
  readonly title: string;
  /** What it means, in a sentence or two. */
  readonly children: ReactNode;
  /** On the button: "Delete network". */
  readonly verb: string;
  readonly onClose: () => void;
  /** It is done (not: it waits). */
  readonly onDone: () => void;
}

export function DestroyDialog<K extends ChangeAction>(props: DestroyDialogProps<K>) {
  const { action, parameters, title, children, verb, onClose, onDone } = props;
  const plan = useQuery({
    queryKey: ['plan', action, parameters],
    queryFn: ({ signal }) => client.plan(action, parameters, signal),
    staleTime: 0,
    gcTime: 0,
  });
  const change = useChange(action);
  const mode = usePolicyMode(action);
  const mayDecide = useMay('decideApproval');
  const [approve, setApprove] = useState(false);
  const [deferred, setDeferred] = useState<Deferred | null>(null);
  const needsApproval = mode === 'require_approval' || mode === null;

  async function run(): Promise<void> {
    const answer = await change.run(approve ? { ...parameters, approve: true } : parameters);
    if (answer === null) return;
    if (answer.kind === 'pending') setDeferred(answer.deferred);
    else onDone();
  }

  if (deferred !== null) return <WaitsDialog deferred={deferred} onClose={onClose} />;
  return (
    <Dialog title={title} onClose={onClose} wide>
      <p>{children}</p>
      <section className="section" aria-label="Plan">
        <h3>What it would do</h3>
        <Loaded what="the plan" data={plan.data} error={plan.error} retry={() => void plan.refetch()}>
          {(found) => <PlanView plan={found} />}
        </Loaded>
      </section>
      {mode === 'require_approval' && !approve ? (
        <Note tone="wait" icon="clock">
          The policy for this asks for approval: it will wait until somebody decides.
        </Note>
      ) : null}
      {needsApproval && mayDecide ? (
        <Check
          label="Approve now"
          hint="You may decide this yourself; that is recorded as an approval."
          checked={approve}
          onChange={setApprove}
        />
      ) : null}
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Keep it</Button>
        <Button
          variant="danger"
          busy={change.busy}
          disabled={plan.data === undefined}
          onClick={() => void run()}
        >
          {mode === 'require_approval' && !approve ? `Ask to ${verb.toLowerCase()}` : verb}
        </Button>
      </div>
    </Dialog>
  );
}

function WaitsDialog({ deferred, onClose }: { readonly deferred: Deferred; readonly onClose: () => void }) {
  return (
    <Dialog title="It waits for approval" onClose={onClose}>
      <Note tone="wait" icon="clock" title={deferred.summary}>
        Nothing has changed yet. If nobody decides, the request ends <Ago at={deferred.expires_at} />.
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
