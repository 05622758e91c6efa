// Which neighbors announce what they may not. The final entry of each inbound route-map refuses, and bgpd counts how often;
// a count that rises under a filter that has been the same for a while is a refusal. While documents of two peers differ,
// what one announces already is refused by the other for a moment, which is no fault: so a filter settles first. A neighbor
// that announces once and is silent then is asked for its paths again (route refresh, RFC 2918), to learn whether it still
// announces them.
import { refusalEndsMs, refusalSettleMs } from '@powernode/core/limits/agent';
import type { InboundFilter } from '@powernode/core/routing/accepted';

/** What one neighbor is refused. */
export interface Refusal {
  /** Announcements since then, by family: one that is repeated counts again. */
  readonly ipv4: number;
  readonly ipv6: number;
  /** Wall clock, in milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface RefusalLook {
  /** How often each filter has refused since it was configured, by the name of its route-map. */
  readonly counts: ReadonlyMap<string, number>;
  /** Another number: another process, whose counts begin anew. */
  readonly generation: number;
  /** Milliseconds of the monotonic clock. */
  readonly monotonicMs: number;
  readonly wallMs: number;
}

interface Watched {
  readonly filter: InboundFilter;
  readonly sinceMs: number;
  counted: number;
  isSettled: boolean;
  /** The neighbor was asked for its paths, and has refused ones not sent again since then. */
  askedAtMs: number | null;
  /** Refused, and not counted as a fault yet. */
  pending: { count: number; readonly sinceMs: number; readonly wallMs: number } | null;
  fault: { count: number; readonly wallMs: number; roseAtMs: number } | null;
}

const familyNames = { 4: 'ipv4', 6: 'ipv6' } as const;

export class Refusals {
  #filters: readonly InboundFilter[] = [];
  readonly #watched = new Map<string, Watched>();
  #generation = -1;
  #version = 0;

  /** Rises whenever an answer may be another one. */
  get version(): number {
    return this.#version;
  }

  /** Whether there is anything to look for. */
  get isWatching(): boolean {
    return this.#filters.length > 0;
  }

  /** The filters that bgpd is configured with from now on. */
  expect(filters: readonly InboundFilter[]): void {
    this.#filters = filters;
    const keys = new Set(filters.map(keyOf));
    for (const key of this.#watched.keys()) if (!keys.has(key)) this.#watched.delete(key);
  }

  /** Takes counts into account. Returns the filters whose neighbors are to be asked for their paths. */
  take(look: RefusalLook): InboundFilter[] {
    const isOther = look.generation !== this.#generation;
    this.#generation = look.generation;
    return this.#filters.filter((filter) => {
      const count = look.counts.get(filter.map);
      if (count === undefined) return false;
      const known = this.#watched.get(keyOf(filter));
      if (known === undefined || isOther || known.filter.map !== filter.map || count < known.counted) {
        this.#begin(filter, known, { count, look });
        return false;
      }
      const before = stateOf(known);
      const isAsked = advance(known, count, look);
      if (stateOf(known) !== before) this.#version++;
      return isAsked;
    });
  }

  /** null: it announces nothing that it may not; undefined: that is not known yet. */
  of(neighbor: string): Refusal | null | undefined {
    const both = ([4, 6] as const).map((family) => this.#watched.get(keyOf({ neighbor, family })));
    const faults = both.flatMap((one) => one?.fault ?? []);
    if (faults.length > 0) {
      const count = (at: number) => both[at]?.fault?.count ?? 0;
      return { ipv4: count(0), ipv6: count(1), sinceMs: Math.min(...faults.map(({ wallMs }) => wallMs)) };
    }
    const isKnown = both.every(
      (one) => one !== undefined && one.isSettled && one.askedAtMs === null && one.pending === null,
    );
    return isKnown ? null : undefined;
  }

  /** Counting begins anew with another filter; a fault stays one until the neighbor has stopped. */
  #begin(
    filter: InboundFilter,
    known: Watched | undefined,
    { count, look }: { readonly count: number; readonly look: RefusalLook },
  ): void {
    this.#version++;
    const fault = known?.fault ?? null;
    if (fault !== null) fault.roseAtMs = look.monotonicMs;
    this.#watched.set(keyOf(filter), {
      ...{ filter, sinceMs: look.monotonicMs, counted: count, isSettled: false },
      ...{ askedAtMs: null, pending: null, fault },
    });
  }
}

function keyOf({ neighbor, family }: Pick<InboundFilter, 'neighbor' | 'family'>): string {
  return `${neighbor} ${familyNames[family]}`;
}

/** Another text whenever another answer follows. */
function stateOf({ isSettled, askedAtMs, pending, fault }: Watched): string {
  return [isSettled, askedAtMs === null, pending === null, fault?.count ?? -1].join(' ');
}

/** Returns whether the neighbor is to be asked for its paths. */
function advance(one: Watched, count: number, { monotonicMs: nowMs, wallMs }: RefusalLook): boolean {
  const rise = count - one.counted;
  one.counted = count;
  if (!one.isSettled) {
    one.isSettled = nowMs - one.sinceMs >= refusalSettleMs;
    if (!one.isSettled || count === 0) return false;
    one.askedAtMs = nowMs;
    return true;
  }
  if (rise > 0) {
    one.askedAtMs = null;
    if (one.fault === null) {
      one.pending ??= { count: 0, sinceMs: nowMs, wallMs };
      one.pending.count += rise;
    } else {
      one.fault.count += rise;
      one.fault.roseAtMs = nowMs;
    }
  }
  if (one.pending !== null && nowMs - one.pending.sinceMs >= refusalSettleMs) {
    const { count: refused, wallMs: since } = one.pending;
    one.fault = { count: refused, wallMs: since, roseAtMs: nowMs };
    one.pending = null;
  }
  if (one.askedAtMs !== null && nowMs - one.askedAtMs >= refusalSettleMs) {
    // It was asked and had nothing that is refused.
    one.askedAtMs = null;
    one.fault = null;
  }
  if (one.fault === null || one.askedAtMs !== null || nowMs - one.fault.roseAtMs < refusalEndsMs)
    return false;
  one.askedAtMs = nowMs;
  return true;
}
