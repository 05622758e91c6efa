// The networks that a machine is in.
import { Link } from '@tanstack/react-router';
import { useRows } from '../../app/use-rows.ts';
import { Loaded } from '../../parts/states.tsx';
import { PathMark, PeerStatusMark } from '../../parts/statuses.tsx';
import { Ago } from '../../parts/time.tsx';

export function InstancePeers({ instanceId }: { readonly instanceId: string }) {
  const peers = useRows(
    'listPeers',
    { node_instance_id: instanceId },
    { busy: (rows) => rows.some((p) => p.status === 'handshaking') },
  );
  const networks = useRows('listNetworks', {});
  return (
    <Loaded what="its networks" data={peers.data} error={peers.error} retry={peers.retry}>
      {(rows) =>
        rows.length === 0 ? (
          <p className="muted">Not in any network. Open a network to attach it.</p>
        ) : (
          <ul className="lines">
            {rows.map((peer) => (
              <li key={peer.id} className="line-item">
                <Link
                  className="nowrap"
                  to="/networks/$networkId"
                  params={{ networkId: peer.network_id }}
                  search={{ view: 'peers', peer: peer.id }}
                >
                  {networks.rows.find((network) => network.id === peer.network_id)?.name ?? 'network'}
                </Link>
                <span className="tag">{peer.role}</span>
                <code className="grow">
                  {peer.host_address}
                  {peer.ipv4_address === null ? '' : `, ${peer.ipv4_address}`}
                </code>
                <PathMark path={peer.path} />
                <Ago at={peer.last_handshake_at} />
                <PeerStatusMark peer={peer} />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
