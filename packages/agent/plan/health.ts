// Whether a tunnel carries packets, judged from what WireGuard counts anyway. Passive: it costs no packet and so
// it sees a dead path only after somebody used it. Whoever probes paths answers the same question sooner (PathHealth).
import {
  agentHandshakeAliveMs,
  agentReceivedAliveMs,
  agentUnansweredBytes,
  agentUnansweredMs,
} from '@powernode/core/limits';
import type { SeenPeer } from './seen.ts';

/** alive: something was heard lately. untried: never heard anything yet. dead: heard once, and not any more. */
export type Liveness = 'alive' | 'untried' | 'dead';

/** The question that choosing a route asks. */
export interface PathHealth {
  of(tunnel: { readonly interface: string; readonly publicKey: string }): Liveness;
}

/** What is remembered of one tunnel between two looks. */
interface Track {
  readonly rxBytes: number;
  readonly heardAtMs: number | null;
  /** Since when something was sent that ought to have been answered; null: nothing. */
  readonly askedAtMs: number | null;
  /** Sent bytes when something was heard last. */
  readonly txBytes: number;
  readonly handshakeAtMs: number;
}

export class PassiveHealth implements PathHealth {
  readonly #tracks = new Map<string, Track>();
  #nowMs = 0;

  /** Takes a look at all peers of an interface into account. Times are of the wall clock, as handshakes are. */
  look(name: string, peers: Iterable<SeenPeer>, nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (const peer of peers) {
      const key = trackKey({ interface: name, publicKey: peer.publicKey });
      this.#tracks.set(key, nextTrack(this.#tracks.get(key), peer, nowMs));
    }
  }

  /** Forgets tunnels of interfaces and peers that are gone. */
  keepOnly(exists: (tunnelKey: string) => boolean): void {
    for (const key of this.#tracks.keys()) if (!exists(key)) this.#tracks.delete(key);
  }

  of(tunnel: { readonly interface: string; readonly publicKey: string }): Liveness {
    const track = this.#tracks.get(trackKey(tunnel));
    if (track === undefined) return 'untried';
    return livenessOf(track, this.#nowMs);
  }
}

/** The same text as the key of the peer's entry in the document. */
function trackKey(tunnel: { readonly interface: string; readonly publicKey: string }): string {
  return `peer/${tunnel.interface}/${tunnel.publicKey}`;
}

function nextTrack(before: Track | undefined, peer: SeenPeer, nowMs: number): Track {
  const handshakeAtMs = peer.lastHandshakeS * 1000;
  // Counters that went back belong to a peer that was taken out and put in again.
  const anew = before === undefined || peer.rxBytes < before.rxBytes || peer.txBytes < before.txBytes;
  if (anew) {
    const track = { rxBytes: peer.rxBytes, txBytes: peer.txBytes, heardAtMs: null, askedAtMs: null };
    return { ...track, handshakeAtMs };
  }
  if (peer.rxBytes > before.rxBytes || handshakeAtMs > before.handshakeAtMs) {
    const track = { rxBytes: peer.rxBytes, txBytes: peer.txBytes, heardAtMs: nowMs, askedAtMs: null };
    return { ...track, handshakeAtMs };
  }
  const asked = peer.txBytes - before.txBytes >= agentUnansweredBytes;
  return { ...before, askedAtMs: before.askedAtMs ?? (asked ? nowMs : null) };
}

function livenessOf(track: Track, nowMs: number): Liveness {
  if (track.handshakeAtMs === 0 && track.heardAtMs === null) return 'untried';
  if (track.askedAtMs !== null && nowMs - track.askedAtMs >= agentUnansweredMs) return 'dead';
  if (nowMs - track.handshakeAtMs <= agentHandshakeAliveMs) return 'alive';
  if (track.heardAtMs !== null && nowMs - track.heardAtMs <= agentReceivedAliveMs) return 'alive';
  return 'dead';
}
