// Which way packets of a lab go, in the words of its hosts.
import type { Peer, Topology } from '@powernode/core/intent/peer';

/** The hub that a spoke meets by an interface of it; null: the interface is none to a hub. */
export function hubBehind(at: {
  readonly topology: Topology;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly from: string;
  readonly device: string | null;
}): string | null {
  const own = at.peers.get(at.from)?.id;
  const link = at.topology.links.find(
    ({ peer_id, interface: name, purpose }) => peer_id === own && name === at.device && purpose === 'transit',
  );
  return [...at.peers.values()].find(({ id }) => id === link?.remote_peer_id)?.hostname ?? null;
}
