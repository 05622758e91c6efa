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
import type { FreshToken } from './join-page.tsx';

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
      <h2>Run this on the machine, as root</h2>
      <CopyBlock text={token.command} label="the command" />
      <p className="hint">
        The token in it is shown this once and works once; it ends <Ago at={token.expires_at} />.
      </p>
      <div role="status">
        {instanceId === null ? (
          <Status
            {...(now?.status === 'expired' || now?.status === 'revoked'
              ? { tone: 'idle', shape: 'cross', text: `The token is ${now.status}; make another` }
              : { tone: 'info', shape: 'half', text: 'Waiting for the machine…', moving: true })}
          />
        ) : (
          <Joined instanceId={instanceId} />
        )}
      </div>
      <div>
        <Button onClick={onAnother}>Join another</Button>
      </div>
    </div>
  );
}

function Joined({ instanceId }: { readonly instanceId: string }) {
  const { data } = useInstance(instanceId);
  if (data === undefined) return <Status tone="ok" shape="tick" text="It joined" />;
  const { instance } = data;
  return (
    <Note tone="ok" icon="check" title={`${instance.hostname} joined`}>
      <div className="stack">
        <div className="row">
          <ConnectedMark connected={instance.connected} />
          <Ago at={instance.created_at} />
          <Link to="/instances/$instanceId" params={{ instanceId }}>
            Look at it
          </Link>
        </div>
        <AttachNow instanceId={instanceId} hostname={instance.hostname} />
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
  if (networks.rows.length === 0) return <Link to="/networks">Make a network for it</Link>;
  if (attachedTo !== null) {
    return (
      <Link to="/networks/$networkId" params={{ networkId: attachedTo }}>
        It is attached: see it in the network
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
        label="Attach it to"
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
