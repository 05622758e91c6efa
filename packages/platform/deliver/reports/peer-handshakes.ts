// The last handshake of each peer, whichever node reported it, and whether that makes the peer connected or silent. Kept
// in memory, one small record for each peer; the state of each tunnel is in the database (tunnels.ts). Reads no clock.

import type { Delta, DeltaSubscriber } from '@powernode/core/compile/deltas';
import type { PeerModel } from '@powernode/core/compile/model';
import type { AccountId, InstanceId, NetworkId, PeerId, PublicKey } from '@powernode/core/ids';
import { silentAfterMs } from '@powernode/core/limits/overlay';

export interface HandshakeRecord {
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
  readonly record: HandshakeRecord;
  readonly to: 'connected' | 'silent';
  readonly lastHandshakeMs: number;
}

export class PeerHandshakes implements DeltaSubscriber {
  readonly #byKey = new Map<PublicKey, HandshakeRecord>();

  /** At a start, from what was stored; causes no event. */
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

  of(publicKey: PublicKey): HandshakeRecord | undefined {
    return this.#byKey.get(publicKey);
  }

  /** A handshake with the peer was reported. */
  seen(record: HandshakeRecord, handshakeMs: number, nowMs: number): Transition | null {
    if (record.lastHandshakeMs === null || handshakeMs > record.lastHandshakeMs) {
      record.lastHandshakeMs = handshakeMs;
    }
    if (record.connected || nowMs - handshakeMs > silentAfterMs) return null;
    record.connected = true;
    return { record, to: 'connected', lastHandshakeMs: handshakeMs };
  }

  /** Connected peers whose last handshake is older than `silentAfterMs`. */
  overdue(nowMs: number): HandshakeRecord[] {
    const overdue: HandshakeRecord[] = [];
    for (const record of this.#byKey.values()) {
      if (record.connected && nowMs - (record.lastHandshakeMs ?? 0) > silentAfterMs) overdue.push(record);
    }
    return overdue;
  }

  silenced(record: HandshakeRecord): Transition | null {
    if (!record.connected || this.#byKey.get(record.publicKey) !== record) return null;
    record.connected = false;
    return { record, to: 'silent', lastHandshakeMs: record.lastHandshakeMs ?? 0 };
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
