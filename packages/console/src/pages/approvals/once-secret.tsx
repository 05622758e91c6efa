// What an approved operation made that is shown once: whoever asked for it fetches it here, everybody else sees that it
// is there.
import type { Output } from '../../api/client.ts';
import { client } from '../../app/platform.ts';
import { refreshAll } from '../../app/query-client.ts';
import { secretsOf, shownOnce } from '../../app/shown-once.ts';
import { tell } from '../../app/toasts.ts';
import { useAttempt } from '../../app/use-attempt.ts';
import { useWhoami } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { Note, ProblemNote } from '../../parts/states.tsx';
import { Ago } from '../../parts/time.tsx';

type Approval = Output<'getApproval'>['approval'];

export function OnceSecret({ approval }: { readonly approval: Approval }) {
  const { secret, requested_by: requester } = approval;
  const isMine = useWhoami().data?.operator.id === requester.id;
  const attempt = useAttempt(fetchSecret);
  if (secret === null) return null;
  if (secret.status !== 'waiting') {
    const what =
      secret.status === 'shown'
        ? 'It was shown to the requester.'
        : 'It was not retrieved in time and is revoked.';
    return (
      <Note tone="info" icon="key" title="A secret was created">
        {what}
      </Note>
    );
  }
  return (
    <Note tone="wait" icon="key" title="The change created a secret">
      <p>
        It is shown once, to {requester.name}, who requested it. It can be retrieved until{' '}
        <Ago at={secret.expires_at} />.
      </p>
      {isMine ? (
        <Button
          variant="primary"
          icon="key"
          busy={attempt.busy}
          onClick={() => void attempt.run(approval.id)}
        >
          Show the secret
        </Button>
      ) : null}
      <ProblemNote problem={attempt.problem} />
    </Note>
  );
}

async function fetchSecret(approvalId: string): Promise<void> {
  const { approval } = await client.read('getApproval', { approval_id: approvalId });
  const detail = approval.secret?.detail ?? null;
  if (detail !== null) tell({ tone: 'bad', text: detail });
  else shownOnce.set(secretsOf(approval.result));
  refreshAll();
}
