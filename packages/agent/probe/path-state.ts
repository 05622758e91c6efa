// The state of one path, from when something was heard on it, with hysteresis: a path that was dead has to be heard
// without a break for a while before it is preferred again, each time for longer.
import { probeFlapMs, probeHoldMaxMs, probeHoldMs } from '@powernode/core/limits/probe';

/** untried: nothing was ever heard. returning: heard again, and not yet for long enough to be preferred to another. */
export type PathState = 'untried' | 'alive' | 'returning' | 'dead';

/** The order in which paths are preferred. */
const preference: Readonly<Record<PathState, number>> = { dead: 0, untried: 1, returning: 2, alive: 3 };

export function worse(a: PathState, b: PathState): PathState {
  return preference[a] < preference[b] ? a : b;
}

export function isHeard(state: PathState): boolean {
  return state === 'alive' || state === 'returning';
}

/** All times are those of a StarvationCompensatedClock. */
export class PathTracker {
  #state: PathState = 'untried';
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #risenAtMs = 0;
  #diedAtMs = Number.NEGATIVE_INFINITY;
  #holdMs: number;

  /** `firstHoldMs`: how long the path is in `returning` the first time, so that one stray answer does not count. */
  constructor(firstHoldMs: number) {
    this.#holdMs = firstHoldMs;
  }

  get state(): PathState {
    return this.#state;
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  heard(runMs: number): void {
    this.#heardAtMs = runMs;
    if (isHeard(this.#state)) return;
    this.#risenAtMs = runMs;
    this.#state = 'returning';
  }

  /** Silence counts from now on: what was not heard until now was not the fault of the path. */
  resetDeadline(runMs: number): void {
    this.#heardAtMs = Math.max(this.#heardAtMs, runMs);
  }

  update(runMs: number, deadMs: number): void {
    if (!isHeard(this.#state)) return;
    if (runMs - this.#heardAtMs > deadMs) {
      this.#die(runMs);
    } else if (this.#state === 'returning' && runMs - this.#risenAtMs >= this.#holdMs) {
      this.#state = 'alive';
    }
  }

  #die(runMs: number): void {
    const again = runMs - this.#diedAtMs <= probeFlapMs;
    this.#holdMs = again ? Math.min(this.#holdMs * 2, probeHoldMaxMs) : probeHoldMs;
    this.#diedAtMs = runMs;
    this.#state = 'dead';
  }
}
