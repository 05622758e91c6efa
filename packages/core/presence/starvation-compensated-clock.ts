// A clock that stops while its process is not scheduled. Silence is measured with it, because what was not heard while
// the process did not run says nothing of the other side. A machine that is short of CPU time must not report all
// others dead, and neither must one whose wall clock was set.

export interface ClockTimings {
  /** Planned milliseconds between two readings. */
  readonly tickMs: number;
  /** A reading that is late by more than this means that the process was not scheduled. */
  readonly starvedMs: number;
  /** After such a pause silence does not count for so long: datagrams that arrived meanwhile are still to be read. */
  readonly settleMs: number;
}

export class StarvationCompensatedClock {
  readonly #timings: ClockTimings;
  #lastMs: number;
  #lostMs = 0;
  #settledFromMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number, timings: ClockTimings) {
    this.#lastMs = nowMs;
    this.#timings = timings;
  }

  /** Notes that the process runs at this moment, and returns the time of this clock. */
  at(nowMs: number): number {
    const { tickMs, starvedMs, settleMs } = this.#timings;
    const pausedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (pausedMs >= 0 && pausedMs <= tickMs + starvedMs) return nowMs - this.#lostMs;
    // A clock that was set back shows as a pause below zero.
    this.#lostMs += pausedMs - tickMs;
    this.#settledFromMs = nowMs - this.#lostMs + settleMs;
    return nowMs - this.#lostMs;
  }

  /** Whether silence counts at that time of this clock. */
  isSettled(runMs: number): boolean {
    return runMs >= this.#settledFromMs;
  }
}
