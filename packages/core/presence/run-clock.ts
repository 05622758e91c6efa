// A clock that stands still while its process was not run. Silence is measured in it: what was not heard while nobody
// listened says nothing about the other side. A machine that is short of processors must not take everybody for dead,
// and neither must one whose wall clock was set.

export interface RunClockRhythm {
  /** Milliseconds between two looks, as planned. */
  readonly tickMs: number;
  /** A look that is later than planned by more than this means that the process was not run. */
  readonly starvedMs: number;
  /** After such a pause nobody is judged for so long: what arrived meanwhile has yet to be read. */
  readonly settleMs: number;
}

export class RunClock {
  readonly #rhythm: RunClockRhythm;
  #lastMs: number;
  #lostMs = 0;
  #judgesFromMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number, rhythm: RunClockRhythm) {
    this.#lastMs = nowMs;
    this.#rhythm = rhythm;
  }

  /** Notes that the process runs at this moment, and answers with the time on this clock. */
  at(nowMs: number): number {
    const { tickMs, starvedMs, settleMs } = this.#rhythm;
    const pausedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (pausedMs >= 0 && pausedMs <= tickMs + starvedMs) return nowMs - this.#lostMs;
    // A clock that was set back shows as a pause below zero.
    this.#lostMs += pausedMs - tickMs;
    this.#judgesFromMs = nowMs - this.#lostMs + settleMs;
    return nowMs - this.#lostMs;
  }

  /** Whether silence may be held against anybody at that time of this clock. */
  judges(runMs: number): boolean {
    return runMs >= this.#judgesFromMs;
  }
}
