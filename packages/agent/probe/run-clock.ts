// The time during which the prober was run. Silence is measured in it: what was not heard while nobody listened says
// nothing about a path. A machine that is short of processors must not take all its paths for dead.
import { probeIntervalMs, probeStarvedMs, probeTickMs } from '@powernode/core/limits';

export class RunClock {
  #lastMs: number;
  #lostMs = 0;
  #judgesFromMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** Notes that the prober runs at this moment, and answers with the time on this clock. */
  at(nowMs: number): number {
    const pausedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (pausedMs <= probeTickMs + probeStarvedMs) return nowMs - this.#lostMs;
    this.#lostMs += pausedMs - probeTickMs;
    // What arrived meanwhile has yet to be read, and what is sent now to be answered.
    this.#judgesFromMs = nowMs - this.#lostMs + probeIntervalMs;
    return nowMs - this.#lostMs;
  }

  /** Whether silence may be held against anybody at that time of this clock. */
  judges(runMs: number): boolean {
    return runMs >= this.#judgesFromMs;
  }
}
