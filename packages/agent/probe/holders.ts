// Peers that hold anycast addresses, as probes show them: how far each is, and which of its addresses it withholds because
// their health check fails. Without sockets and without a clock of its own.
import { roundTripNewsEveryMs, roundTripNewsMs, roundTripNewsShare } from '@powernode/core/limits/anycast';
import type { HolderChange } from './messages.ts';

class Holder {
  /** Measured by this node, and what the holder says; the first counts where there is one. */
  measuredMs: number | null = null;
  saidMs: number | null = null;
  withheld: readonly string[] = [];
  isNew = false;
  reported: HolderChange | null = null;
  reportedAtMs = Number.NEGATIVE_INFINITY;

  get roundTripMs(): number | null {
    return this.measuredMs ?? this.saidMs;
  }
}

export class Holders {
  #holders = new Map<string, Holder>();

  /** What is known of those that stay is kept. */
  configure(addresses: readonly string[]): void {
    const before = this.#holders;
    this.#holders = new Map(addresses.map((address) => [address, before.get(address) ?? new Holder()]));
  }

  /** A round trip of this node's own probes, smoothed. */
  measured(address: string, roundTripMs: number): void {
    const holder = this.#holders.get(address);
    if (holder !== undefined) holder.measuredMs = roundTripMs;
  }

  /** A probe of the holder, or its answer to one. */
  heard(address: string, said: { readonly withholds: boolean; readonly roundTripMs: number | null }): void {
    const holder = this.#holders.get(address);
    if (holder === undefined) return;
    if (said.roundTripMs !== null) holder.saidMs = said.roundTripMs;
    if (!said.withholds && holder.withheld.length > 0) this.#withhold(holder, []);
  }

  withheld(address: string, addresses: readonly string[]): void {
    const holder = this.#holders.get(address);
    if (holder === undefined || isSame(holder.withheld, addresses)) return;
    this.#withhold(holder, addresses);
  }

  /** What changed since the last time. Of distances only what matters, and not at once. */
  changes(runMs: number): HolderChange[] {
    const changes: HolderChange[] = [];
    for (const [address, holder] of this.#holders) {
      if (!holder.isNew && !isDistanceNews(holder, runMs)) continue;
      holder.isNew = false;
      holder.reportedAtMs = runMs;
      holder.reported = { holder: address, roundTripMs: holder.roundTripMs, withheld: holder.withheld };
      changes.push(holder.reported);
    }
    return changes;
  }

  #withhold(holder: Holder, addresses: readonly string[]): void {
    holder.withheld = addresses;
    holder.isNew = true;
  }
}

function isDistanceNews({ roundTripMs, reported, reportedAtMs }: Holder, runMs: number): boolean {
  if (roundTripMs === null) return false;
  const before = reported?.roundTripMs ?? null;
  if (before === null) return true;
  if (runMs - reportedAtMs < roundTripNewsEveryMs) return false;
  const byMs = Math.abs(roundTripMs - before);
  return byMs >= roundTripNewsMs && byMs >= before * roundTripNewsShare;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}
