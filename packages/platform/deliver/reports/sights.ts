// When each peer was last seen to shake hands, by anyone, and what that makes it: connected, or silent. In memory,
// one small record for each peer; what every tunnel looks like is in the database (tunnels.ts). Keeps no clock.

import type { Delta, DeltaSubscriber } from '@powernode/core/compile/deltas';
import type { PeerModel } from '@powernode/core/compile/model';
import type { AccountId, InstanceId, NetworkId, PeerId, PublicKey } from '@powernode/core/ids';
import { silentAfterMs } from '@powernode/core/limits';

export interface Sight {
  readonly accountId: AccountId;
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  readonly instanceId: InstanceId;
  readonly publicKey: PublicKey;
  lastHandshakeMs: number | null;
  connected: boolean;
}

/** A peer went from one state to the other. */
export interface Transition {
  readonly sight: Sight;
  readonly to: 'connected' | 'silent';
  readonly lastHandshakeMs: number;
}

export class PeerSights implements DeltaSubscriber {
  readonly #byKey = new Map<PublicKey, Sight>();

  /** At a start: what was stored. Nobody is told of it. */
  load(accountId: AccountId, peer: PeerModel, lastHandshakeMs: number | null, nowMs: number): void {
    this.#set(accountId, peer, {
      lastHandshakeMs,
      connected: lastHandshakeMs !== null && nowMs - lastHandshakeMs <= silentAfterMs,
    });
  }

  onDelta(delta: Delta): void {
    if (delta.kind === 'peer_added') {
      this.#set(delta.network.accountId, delta.after, { lastHandshakeMs: null, connected: false });
    } else if (delta.kind === 'peer_removed') {
      this.#byKey.delete(delta.before.publicKey);
    } else if (delta.kind === 'peer_changed' && delta.before.publicKey !== delta.after.publicKey) {
      // A rotated key is the same peer: it stays what it was until it is silent for long enough.
      const { lastHandshakeMs = null, connected = false } = this.#byKey.get(delta.before.publicKey) ?? {};
      this.#byKey.delete(delta.before.publicKey);
      this.#set(delta.network.accountId, delta.after, { lastHandshakeMs, connected });
    }
  }

  of(publicKey: PublicKey): Sight | undefined {
    return this.#byKey.get(publicKey);
  }

  /** A handshake with the peer was seen. */
  seen(sight: Sight, handshakeMs: number, nowMs: number): Transition | null {
    if (sight.lastHandshakeMs === null || handshakeMs > sight.lastHandshakeMs) {
      sight.lastHandshakeMs = handshakeMs;
    }
    if (sight.connected || nowMs - handshakeMs > silentAfterMs) return null;
    sight.connected = true;
    return { sight, to: 'connected', lastHandshakeMs: handshakeMs };
  }

  /** Peers that count as connected and were not seen for too long. */
  overdue(nowMs: number): Sight[] {
    const late: Sight[] = [];
    for (const sight of this.#byKey.values()) {
      if (sight.connected && nowMs - (sight.lastHandshakeMs ?? 0) > silentAfterMs) late.push(sight);
    }
    return late;
  }

  silenced(sight: Sight): Transition | null {
    if (!sight.connected || this.#byKey.get(sight.publicKey) !== sight) return null;
    sight.connected = false;
    return { sight, to: 'silent', lastHandshakeMs: sight.lastHandshakeMs ?? 0 };
  }

  #set(
    accountId: AccountId,
    peer: PeerModel,
    state: { readonly lastHandshakeMs: number | null; readonly connected: boolean },
  ): void {
    this.#byKey.set(peer.publicKey, {
      accountId,
      networkId: peer.networkId,
      peerId: peer.id,
      instanceId: peer.instanceId,
      publicKey: peer.publicKey,
      ...state,
    });
  }
}
