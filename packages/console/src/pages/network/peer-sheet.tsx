// One peer: what it should be, what is observed of it, and what can be done with it.
import { consoleChoicesMax } from '@powernode/core/limits/console';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { usePeer, useTopology } from '../../app/use-one.ts';
import { addressFacts } from '../../parts/address-facts.tsx';
import { Button } from '../../parts/button.tsx';
import { Copyable } from '../../parts/copy.tsx';
import { Sheet } from '../../parts/dialog.tsx';
import { type Fact, Facts, Tiles } from '../../parts/facts.tsx';
import { count, formatBytes } from '../../parts/format.ts';
import { directPathLooks } from '../../parts/service-statuses.tsx';
import { Absent, Note, ProblemNote } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import { PathMark, PeerStatusMark, SyncMark } from '../../parts/statuses.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Ago, DateTime } from '../../parts/time.tsx';
import { RetryRolledBack } from '../instances/retry-rolled-back.tsx';
import { usePeerNames } from './names.ts';
import { ObjectLink } from './object-link.tsx';
import { PeerForm } from './peer-form.tsx';
import { PeerLans } from './peer-lans.tsx';
import { PeerTunnels } from './peer-tunnels.tsx';
import { inSync } from './peers-view.tsx';
import { useSheet } from './use-sheet.ts';

type Network = Output<'getNetwork'>['network'];
type Peer = Output<'getPeer'>['peer'];

export function PeerSheet({ peerId, network }: { readonly peerId: string; readonly network: Network }) {
  const sheet = useSheet('peer');
  const { data, error, refetch } = usePeer(peerId);
  return (
    <Sheet title={data?.peer.hostname ?? 'Peer'} onClose={sheet.close}>
      {data === undefined ? (
        <Absent what="the peer" error={error} retry={() => void refetch()} />
      ) : (
        <Known peer={data.peer} network={network} onGone={sheet.close} />
      )}
    </Sheet>
  );
}

interface KnownProps {
  readonly peer: Peer;
  readonly network: Network;
  readonly onGone: () => void;
}

// oxlint-disable-next-line max-lines-per-function -- one fact after the other
function Known({ peer, network, onGone }: KnownProps) {
  const { data } = useTopology(network.id, { enabled: true });
  const hub = data?.topology.nodes.find((node) => node.peer_id === peer.via_hub_peer_id)?.hostname ?? null;
  return (
    <>
      <div className="row">
        <PeerStatusMark peer={peer} chip />
        <SyncMark inSync={inSync(peer)} chip />
        <span className="tag">{peer.role}</span>
        <PathMark path={peer.path} hub={hub} />
      </div>
      {peer.unreachable_because === null ? null : (
        <Note
          tone={peer.reachable === false ? 'bad' : 'wait'}
          icon="alert"
          title={peer.reachable === false ? 'Unreachable' : 'Reachability in doubt'}
        >
          {peer.unreachable_because.detail}
        </Note>
      )}
      {peer.problem === null ? null : (
        <Note
          tone="bad"
          icon="alert"
          title={peer.problem.code}
          action={
            <RetryRolledBack
              instanceId={peer.node_instance_id}
              hostname={peer.hostname}
              problems={[peer.problem]}
            />
          }
        >
          {peer.problem.detail} <Ago at={peer.problem.since} />
        </Note>
      )}
      {peer.draining ? (
        <Note tone="wait" icon="alert">
          Its instance is draining: spokes do not use it as a hub, and it holds no virtual IPs.
        </Note>
      ) : null}
      <PeerActions peer={peer} hasPods={network.pod_subnet_prefix !== null} onGone={onGone} />
      <Tiles
        tiles={[
          { name: 'Last handshake', value: <Ago at={peer.last_handshake_at} /> },
          { name: 'Received', value: formatBytes(peer.rx_bytes) },
          { name: 'Sent', value: formatBytes(peer.tx_bytes) },
          {
            name: 'Revision',
            value: `${peer.applied_revision ?? '—'} of ${peer.desired_revision}`,
            more: 'applied of desired',
          },
        ]}
      />
      <Facts
        facts={[
          ...addressFacts(peer.host_address, peer.ipv4_address),
          [
            'Endpoint',
            peer.endpoint === null ? (
              'none: it only initiates'
            ) : (
              <code key="e">{peer.endpoints.join(', ')}</code>
            ),
          ],
          ['Reachable', <Reached key="r" peer={peer} />],
          ['Listen port', `UDP ${peer.listen_port}`],
          ['Accepts handshakes', peer.called.detail],
          [
            'Publicly reachable',
            `${peer.publicly_reachable ? 'yes' : 'no'}, ${peer.role_because ?? peer.publicly_reachable_source}`,
          ],
          [
            'Direct paths',
            <span key="d" className="stack-tight">
              <Status {...directPathLooks[peer.direct_path.state]} />
              <span>{peer.direct_path.detail}</span>
            </span>,
          ],
          ...(peer.pod_subnet === null ? [] : [podFact(peer.pod_subnet, peer.pod_subnet_source)]),
          ['Direct peers', <DirectPeers key="w" peer={peer} />],
          ['Tags', <Tags key="t" tags={peer.tags} />],
          ['Public key', <Copyable key="k" text={peer.public_key} label="the public key" />],
          [
            'Instance',
            <Link key="m" to="/instances/$instanceId" params={{ instanceId: peer.node_instance_id }}>
              {peer.hostname}
            </Link>,
          ],
          ['Created', <DateTime key="c" at={peer.created_at} />],
          ['ID', <Copyable key="i" text={peer.id} label="the ID" />],
        ]}
      />
      <PeerLans peer={peer} />
      {data === undefined ? null : <PeerTunnels peerId={peer.id} topology={data.topology} />}
    </>
  );
}

const podSources = {
  assigned: 'assigned by the platform',
  observed: 'of a cluster on the instance',
  set: 'set by an operator',
} as const satisfies Record<NonNullable<Peer['pod_subnet_source']>, string>;

function podFact(subnet: string, source: Peer['pod_subnet_source']): Fact {
  const words = source === null ? '' : `, ${podSources[source]}`;
  return [
    'Pod subnet',
    <span key="p">
      <code>{subnet}</code>
      {words}
    </span>,
  ];
}

/** Whether its overlay reaches it now, and since when. */
function Reached({ peer }: { readonly peer: Peer }) {
  if (peer.reachable === null) return <span className="muted">unknown</span>;
  return (
    <span>
      {peer.reachable ? 'yes' : 'no'}, since <Ago at={peer.reachable_since} />
    </span>
  );
}

/** Spokes that it meets without a hub now. */
function DirectPeers({ peer }: { readonly peer: Peer }) {
  const { nameOf } = usePeerNames(peer.network_id);
  if (peer.direct_peer_ids.length === 0) return <span className="muted">none</span>;
  return (
    <ul className="link-list">
      {peer.direct_peer_ids.slice(0, consoleChoicesMax).map((id) => (
        <li key={id}>
          <ObjectLink networkId={peer.network_id} object={{ type: 'peer', id, name: nameOf(id) }} />
        </li>
      ))}
      {peer.direct_peer_ids.length > consoleChoicesMax ? (
        <li className="muted">
          and {count(peer.direct_peer_ids.length - consoleChoicesMax, 'more', 'more')}
        </li>
      ) : null}
    </ul>
  );
}

interface ActionsProps {
  readonly peer: Peer;
  readonly hasPods: boolean;
  readonly onGone: () => void;
}

function PeerActions({ peer, hasPods, onGone }: ActionsProps) {
  const may = useMay('updatePeer');
  const rotate = useChange('rotatePeerKey');
  const [opened, setOpened] = useState<'edit' | 'detach' | null>(null);
  if (!may) return null;

  async function rotateKey(): Promise<void> {
    const answer = await rotate.run({ peer_id: peer.id, if_revision: peer.revision });
    if (answer?.kind === 'done') tell({ tone: 'done', text: `${peer.hostname} has a new key` });
  }

  if (opened === 'edit') return <PeerForm peer={peer} hasPods={hasPods} onClose={() => setOpened(null)} />;
  return (
    <>
      <div className="row">
        <Button icon="pencil" onClick={() => setOpened('edit')}>
          Edit
        </Button>
        <Button icon="key" busy={rotate.busy} onClick={() => void rotateKey()}>
          Rotate key
        </Button>
        <Button icon="trash" onClick={() => setOpened('detach')}>
          Detach
        </Button>
      </div>
      <ProblemNote problem={rotate.problem} />
      {opened === 'detach' ? (
        <PlannedDialog
          action="detachPeer"
          parameters={{ peer_id: peer.id, if_revision: peer.revision }}
          title={`Detach ${peer.hostname}`}
          verb="Detach peer"
          onClose={() => setOpened(null)}
          onDone={() => {
            tell({ tone: 'done', text: `${peer.hostname} is detached` });
            onGone();
          }}
        >
          It leaves the network. Its address {peer.host_address} is not assigned to another peer for 7 days.
        </PlannedDialog>
      ) : null}
    </>
  );
}
