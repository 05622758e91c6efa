// Which sessions of BGP the peers of a network have, by its documents. Each is there twice: as either end sees it.
import { createHash } from 'node:crypto';
import { haveSession } from '@powernode/core/compile/bgp-entries';
import type { PeerModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';

export interface SessionEnd {
  readonly peer: PeerModel;
  readonly neighbor: PeerModel;
}

/** Those that there would be too, while the network does not speak BGP. */
export function* sessionEndsOf(index: NetworkIndex): Generator<SessionEnd> {
  const { network } = index;
  const isMesh = network.topologyStrategy === 'full_mesh';
  for (const peer of index.peers()) {
    const isHub = isMesh || index.transit.some(({ id }) => id === peer.id);
    for (const neighbor of isHub ? index.peers() : index.transit) {
      if (haveSession(network, peer, neighbor)) yield { peer, neighbor };
    }
  }
}

/**
 * Always the same for the two: sessions are known before anybody reports them. A UUID of version 7 with the time of the
 * peer's, and a digest of both for what is random (RFC 9562 §5.7).
 */
export function sessionIdOf({ peer, neighbor }: SessionEnd): string {
  const digest = createHash('sha256').update(`bgp_session/${peer.id}/${neighbor.id}`).digest('hex');
  const [first, second] = [digest.slice(0, 3), digest.slice(3, 6)];
  return `${peer.id.slice(0, 13)}-7${first}-8${second}-${digest.slice(6, 18)}`;
}
