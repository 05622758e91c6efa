// The state in which a peer is shown: its status, which follows handshakes, and whether it is reached now.
import type { Peer, PeerStatus } from '@powernode/core/intent/peer';

export type PeerState = PeerStatus | 'unreachable';

/** One that shook hands and is not reached now is not connected. One that is silent is that by itself. */
export function peerStateOf({ status, reachable }: Pick<Peer, 'status' | 'reachable'>): PeerState {
  return reachable === false && status !== 'silent' ? 'unreachable' : status;
}
