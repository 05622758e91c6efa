// How paths are, by the prober where it has heard anything of them, and by WireGuard's counters where not: a hub of an
// older version answers no probes and must not be taken for dead. Knows of hubs too by which way a spoke is heard.
import { withoutLength } from '@powernode/core/net/address';
import type { ProberNews } from '../probe/messages.ts';
import { isHeard, type PathState } from '../probe/path-state.ts';
import type { BgpDecisions } from './bgp-decisions.ts';
import type { PassiveHealth, PathHealth } from './health.ts';
import type { PathIndex } from './path-index.ts';
import { tunnelKey } from './path-index.ts';

/** How a spoke is heard by this hub. */
export interface SourceState {
  readonly state: PathState;
  /** The relay by way of which its packets are to go; null: straight. */
  readonly backupVia: string | null;
}

/** What is known of a peer that holds anycast addresses. */
export interface HolderState {
  /** Smoothed; null: not known. */
  readonly roundTripMs: number | null;
  /** Addresses that it holds and that are not to be sent to it now, because their health check fails. */
  readonly withheld: readonly string[];
}

/** What choosing paths rests on. */
export interface PathSituation {
  readonly index: PathIndex;
  readonly health: PathHealth;
  /** How spokes are heard by this hub, by address. */
  readonly sources: ReadonlyMap<string, SourceState>;
  readonly bgp: BgpDecisions;
  /** By the overlay address of the holder. */
  readonly holders: ReadonlyMap<string, HolderState>;
  /** Of a clock that never jumps. */
  readonly nowMs: number;
}

export class ProbeHealth implements PathHealth {
  readonly #passive: PassiveHealth;
  readonly #index: PathIndex;
  /** By the key of the peer's entry. */
  readonly #tunnels = new Map<string, PathState>();
  /** By address. */
  readonly #sources = new Map<string, SourceState>();
  readonly #holders = new Map<string, HolderState>();

  constructor(passive: PassiveHealth, index: PathIndex) {
    this.#passive = passive;
    this.#index = index;
  }

  get sources(): ReadonlyMap<string, SourceState> {
    return this.#sources;
  }

  get holders(): ReadonlyMap<string, HolderState> {
    return this.#holders;
  }

  get isAnyHeard(): boolean {
    for (const state of this.#tunnels.values()) if (isHeard(state)) return true;
    for (const { state } of this.#sources.values()) if (isHeard(state)) return true;
    return false;
  }

  apply(news: ProberNews): void {
    for (const { tunnel, state } of news.tunnels) {
      if (state === 'untried') this.#tunnels.delete(tunnel);
      else this.#tunnels.set(tunnel, state);
    }
    for (const { address, state, backupVia } of news.sources) {
      if (state === 'untried' && backupVia === null) this.#sources.delete(address);
      else this.#sources.set(address, { state, backupVia });
    }
    for (const { holder, roundTripMs, withheld } of news.holders)
      this.#holders.set(holder, { roundTripMs, withheld });
  }

  /**
   * The prober begins anew, and says nothing of what it never hears. What was found dead stays so until it is heard, and
   * distances are those of before; what is withheld is said again.
   */
  forgetHeard(): void {
    for (const [tunnel, state] of this.#tunnels) if (isHeard(state)) this.#tunnels.delete(tunnel);
    for (const [address, { backupVia }] of this.#sources)
      if (backupVia === null) this.#sources.delete(address);
    for (const [holder, state] of this.#holders) this.#holders.set(holder, { ...state, withheld: [] });
  }

  of(tunnel: { readonly interface: string; readonly publicKey: string }): PathState {
    const key = tunnelKey(tunnel);
    const probed = this.#tunnels.get(key);
    if (probed !== undefined) return probed;
    const peer = this.#index.peer(key);
    if (peer === undefined) return this.#passive.of(tunnel);
    // A handshake shows that a spoke was met, and not that packets arrive.
    if (this.#index.isDirect(peer)) return 'untried';
    const heard = this.#sources.get(withoutLength(peer.allowed_ips[0] ?? ''))?.state ?? 'untried';
    return heard === 'untried' ? this.#passive.of(tunnel) : heard;
  }
}
