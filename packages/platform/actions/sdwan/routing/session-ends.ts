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

/** Always the same for the two (UUID of version 8, RFC 9562 §5.8): sessions are known before anybody reports them. */
export function sessionIdOf({ peer, neighbor }: SessionEnd): string {
  const digest = createHash('sha256').update(`bgp_session/${peer.id}/${neighbor.id}`).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
