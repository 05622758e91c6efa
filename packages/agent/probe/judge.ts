// Whether one path is alive, from when something was heard on it. Slow to trust again what has died: a path that was
// dead has to be heard without a break for a while before anything goes back to it, each time for longer.
import { probeFlapMs, probeHoldMaxMs, probeHoldMs } from '@powernode/core/limits/probe';

/** untried: nothing was ever heard. returning: heard again, and not yet for long enough to be preferred to another. */
export type PathState = 'untried' | 'alive' | 'returning' | 'dead';

/** The order in which paths are trusted. */
const trust: Readonly<Record<PathState, number>> = { dead: 0, untried: 1, returning: 2, alive: 3 };

export function worse(a: PathState, b: PathState): PathState {
  return trust[a] < trust[b] ? a : b;
}

export function isHeard(state: PathState): boolean {
  return state === 'alive' || state === 'returning';
}

/** All times are those of a StarvationCompensatedClock. */
export class PathJudge {
  #state: PathState = 'untried';
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #risenAtMs = 0;
  #diedAtMs = Number.NEGATIVE_INFINITY;
  #holdMs: number;

  /** `firstHoldMs`: how long it returns the first time: until it is more than one stray answer. */
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

  /** Silence begins anew: nothing could be heard until now, for reasons that are not the path's. */
  forgive(runMs: number): void {
    this.#heardAtMs = Math.max(this.#heardAtMs, runMs);
  }

  judge(runMs: number, deadMs: number): void {
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
