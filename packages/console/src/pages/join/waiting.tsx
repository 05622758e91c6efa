// After a join token was made: the command, and the wait for the machine that runs it.
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { useInstance } from '../../app/use-one.ts';
import { useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { CopyBlock } from '../../parts/copy.tsx';
import { SelectField } from '../../parts/form.tsx';
import { Note, ProblemNote } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import { ConnectedMark } from '../../parts/statuses.tsx';
import { Ago } from '../../parts/time.tsx';
import type { FreshToken } from './fresh-token.ts';

export interface WaitingProps {
  readonly token: FreshToken;
  readonly onAnother: () => void;
}

export function Waiting({ token, onAnother }: WaitingProps) {
  // The event of a machine that joined has this list read again; reading it now and then covers a lost one.
  const tokens = useRows('listJoinTokens', {}, { busy: () => true });
  const now = tokens.rows.find((row) => row.id === token.id);
  const instanceId = now?.instance_id ?? null;
  return (
    <div className="panel" data-testid="join">
      <h2>Run this on the instance, as root</h2>
      <CopyBlock text={token.command} label="the command" />
      <p className="hint">
        Requires curl. The script installs the agent and its dependencies, joins, and starts the service
        powernode-agent, which also starts at boot. The pinned public key belongs to this platform, so nobody
        in between can substitute the script.
      </p>
      <p className="hint">
        The token is shown only now and works once. It expires <Ago at={token.expires_at} />.
      </p>
      <div role="status">
        {instanceId === null ? (
          <Status
            {...(now?.status === 'expired' || now?.status === 'revoked'
              ? { tone: 'idle', shape: 'cross', text: `The token is ${now.status}; create another` }
              : { tone: 'info', shape: 'half', text: 'Waiting for the instance…', moving: true })}
          />
        ) : (
          <Joined instanceId={instanceId} />
        )}
      </div>
      <div>
        <Button onClick={onAnother}>Add another</Button>
      </div>
    </div>
  );
}

/** One for its tunnels to hubs, and one for the interface on which others meet it. */
const keysPerPeer = 2;

function Joined({ instanceId }: { readonly instanceId: string }) {
  const { data } = useInstance(instanceId);
  if (data === undefined) return <Status tone="ok" shape="tick" text="Joined" />;
  const { instance } = data;
  return (
    <Note tone="ok" icon="check" title={`${instance.hostname} joined`}>
      <div className="stack">
        <div className="row">
          <ConnectedMark connected={instance.connected} />
          <Ago at={instance.created_at} />
          <Link to="/instances/$instanceId" params={{ instanceId }}>
            Open the instance
          </Link>
        </div>
        {instance.unused_keys < keysPerPeer ? (
          <p className="hint">
            It has not published any keys yet, so it cannot be attached. Start its agent:{' '}
            <code>powernode agent run</code>
          </p>
        ) : (
          <AttachNow instanceId={instanceId} hostname={instance.hostname} />
        )}
      </div>
    </Note>
  );
}

function AttachNow({ instanceId, hostname }: { readonly instanceId: string; readonly hostname: string }) {
  const may = useMay('attachPeer');
  const networks = useRows('listNetworks', {});
  const change = useChange('attachPeer');
  const [chosen, setChosen] = useState('');
  const [attachedTo, setAttachedTo] = useState<string | null>(null);
  if (!may || networks.data === undefined) return null;
  if (networks.rows.length === 0) return <Link to="/networks">Create a network</Link>;
  if (attachedTo !== null) {
    return (
      <Link to="/networks/$networkId" params={{ networkId: attachedTo }}>
        Attached: open the network
      </Link>
    );
  }
  const networkId = chosen === '' ? (networks.rows[0]?.id ?? '') : chosen;

  async function attach(): Promise<void> {
    const answer = await change.run({ network_id: networkId, node_instance_id: instanceId });
    if (answer?.kind !== 'done') return;
    tell({ tone: 'done', text: `${hostname} has ${answer.body.peer.host_address}` });
    setAttachedTo(networkId);
  }

  return (
    <div className="row attach-now">
      <SelectField
        label="Attach to"
        value={networkId}
        onChange={setChosen}
        choices={networks.rows.map((network) => ({ value: network.id, text: network.name }))}
      />
      <Button variant="primary" busy={change.busy} onClick={() => void attach()}>
        Attach
      </Button>
      <ProblemNote problem={change.problem} />
    </div>
  );
}
