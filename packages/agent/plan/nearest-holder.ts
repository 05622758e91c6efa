// Which of several holders of an anycast address is used: the one with the shortest round trip of those that are heard. It
// changes at once when it is heard no more, and for a nearer one only when that has been clearly nearer for a while.
// Without a clock of its own.
import { nearerForMs, nearerMs, nearerShare } from '@powernode/core/limits/anycast';
import { isHeard, type PathState } from '../probe/path-state.ts';

/** A holder as it is reached now. */
export interface HolderOption {
  readonly state: PathState;
  /** null: not known, which is farther than all that is known. */
  readonly roundTripMs: number | null;
}

export class NearestHolders {
  /** Since when the holder in use is farther than another one, by address. */
  readonly #fartherSinceMs = new Map<string, number>();

  /** When a choice may be another one although nothing has happened; null: never. */
  get dueMs(): number | null {
    if (this.#fartherSinceMs.size === 0) return null;
    return Math.min(...this.#fartherSinceMs.values()) + nearerForMs;
  }

  /**
   * `options`: in the order of preference. `present`: the one in use; undefined: none. When none is heard it stays where it
   * is. undefined: there is none.
   */
  choose<Option extends HolderOption>(
    address: string,
    of: { readonly options: readonly Option[]; readonly present: Option | undefined; readonly nowMs: number },
  ): Option | undefined {
    const { options, present, nowMs } = of;
    const nearestAlive = nearestOf(options.filter(({ state }) => state === 'alive'));
    if (present === undefined || !isHeard(present.state)) {
      this.#fartherSinceMs.delete(address);
      const heard = nearestAlive ?? nearestOf(options.filter(({ state }) => isHeard(state)));
      return heard ?? present ?? options[0];
    }
    const better = nearestAlive === undefined ? undefined : betterThan(present, { options, nearestAlive });
    if (better === undefined) {
      this.#fartherSinceMs.delete(address);
      return present;
    }
    const sinceMs = this.#fartherSinceMs.get(address) ?? nowMs;
    this.#fartherSinceMs.set(address, sinceMs);
    // Agents of before say nothing of distances: then the preferred one is used, as soon as it is alive.
    const isUnknown = better.roundTripMs === null && present.roundTripMs === null;
    if (!isUnknown && nowMs - sinceMs < nearerForMs) return present;
    this.#fartherSinceMs.delete(address);
    return better;
  }

  /** For all others nothing is chosen now. */
  keepOnly(addresses: ReadonlySet<string>): void {
    for (const address of this.#fartherSinceMs.keys()) {
      if (!addresses.has(address)) this.#fartherSinceMs.delete(address);
    }
  }
}

/** One that is clearly nearer, or else a preferred one that is about as near. */
function betterThan<Option extends HolderOption>(
  present: Option,
  { options, nearestAlive }: { readonly options: readonly Option[]; readonly nearestAlive: Option },
): Option | undefined {
  if (isClearlyNearer(nearestAlive, present)) return nearestAlive;
  const preferred = options.slice(0, options.indexOf(present));
  return preferred.find((one) => one.state === 'alive' && isAboutAsNear(one, present));
}

/** Of equal ones the first. */
function nearestOf<Option extends HolderOption>(options: readonly Option[]): Option | undefined {
  let nearest: Option | undefined;
  for (const one of options) {
    if (nearest === undefined || distance(one) < distance(nearest)) nearest = one;
  }
  return nearest;
}

function distance({ roundTripMs }: HolderOption): number {
  return roundTripMs ?? Number.POSITIVE_INFINITY;
}

/** Half of what makes one clearly nearer: so two that are about as near do not take turns. */
function isAboutAsNear(one: HolderOption, other: HolderOption): boolean {
  if (one.roundTripMs === null || other.roundTripMs === null) return one.roundTripMs === other.roundTripMs;
  const byMs = one.roundTripMs - other.roundTripMs;
  return byMs <= nearerMs / 2 || byMs <= (other.roundTripMs * nearerShare) / 2;
}

function isClearlyNearer(one: HolderOption, other: HolderOption): boolean {
  if (one.roundTripMs === null || other.roundTripMs === null) return distance(one) < distance(other);
  const byMs = other.roundTripMs - one.roundTripMs;
  return byMs >= nearerMs && byMs >= other.roundTripMs * nearerShare;
}
