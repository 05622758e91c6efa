// Whether a tunnel carries packets, evaluated from what WireGuard counts anyway. Passive: it costs no packet and so
// it sees a dead path only after somebody used it. Whoever probes paths answers the same question sooner (PathHealth).
import {
  agentHandshakeAliveMs,
  agentReceivedAliveMs,
  agentRouteHoldMs,
  agentUnansweredBytes,
  agentUnansweredMs,
} from '@powernode/core/limits/agent';
import type { PathState } from '../probe/path-state.ts';
import type { ObservedPeer } from '../subsystems/observed.ts';
import { tunnelKey } from './path-index.ts';

/** The question that choosing a route asks. */
export interface PathHealth {
  of(tunnel: { readonly interface: string; readonly publicKey: string }): PathState;
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
  /** Since when it has been heard without a break; null: it is not. */
  readonly risenAtMs: number | null;
}

export class PassiveHealth implements PathHealth {
  readonly #tracks = new Map<string, Track>();
  #nowMs = 0;

  /** Takes a look at all peers of an interface into account. Times are of the wall clock, as handshakes are. */
  observe(name: string, peers: Iterable<ObservedPeer>, nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (const peer of peers) {
      const key = tunnelKey({ interface: name, publicKey: peer.publicKey });
      const track = nextTrack(this.#tracks.get(key), peer, nowMs);
      const risenAtMs = isHeardOf(track, nowMs) === true ? (track.risenAtMs ?? nowMs) : null;
      this.#tracks.set(key, risenAtMs === track.risenAtMs ? track : { ...track, risenAtMs });
    }
  }

  /** Forgets tunnels of interfaces and peers that are gone. */
  keepOnly(exists: (tunnelKey: string) => boolean): void {
    for (const key of this.#tracks.keys()) if (!exists(key)) this.#tracks.delete(key);
  }

  of(tunnel: { readonly interface: string; readonly publicKey: string }): PathState {
    const track = this.#tracks.get(tunnelKey(tunnel));
    if (track === undefined) return 'untried';
    const isHeard = isHeardOf(track, this.#nowMs);
    if (isHeard !== true) return isHeard === null ? 'untried' : 'dead';
    return this.#nowMs - (track.risenAtMs ?? this.#nowMs) >= agentRouteHoldMs ? 'alive' : 'returning';
  }
}

function nextTrack(before: Track | undefined, peer: ObservedPeer, nowMs: number): Track {
  const handshakeAtMs = peer.lastHandshakeS * 1000;
  // Counters that went back belong to a peer that was taken out and put in again.
  const anew = before === undefined || peer.rxBytes < before.rxBytes || peer.txBytes < before.txBytes;
  if (anew) {
    const track = { rxBytes: peer.rxBytes, txBytes: peer.txBytes, heardAtMs: null, askedAtMs: null };
    return { ...track, handshakeAtMs, risenAtMs: null };
  }
  if (peer.rxBytes > before.rxBytes || handshakeAtMs > before.handshakeAtMs) {
    const track = { rxBytes: peer.rxBytes, txBytes: peer.txBytes, heardAtMs: nowMs, askedAtMs: null };
    return { ...track, handshakeAtMs, risenAtMs: before.risenAtMs };
  }
  const asked = peer.txBytes - before.txBytes >= agentUnansweredBytes;
  return { ...before, askedAtMs: before.askedAtMs ?? (asked ? nowMs : null) };
}

/** null: it never was. */
function isHeardOf(track: Track, nowMs: number): boolean | null {
  if (track.handshakeAtMs === 0 && track.heardAtMs === null) return null;
  if (track.askedAtMs !== null && nowMs - track.askedAtMs >= agentUnansweredMs) return false;
  if (nowMs - track.handshakeAtMs <= agentHandshakeAliveMs) return true;
  return track.heardAtMs !== null && nowMs - track.heardAtMs <= agentReceivedAliveMs;
}
