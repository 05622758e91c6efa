// When a change is reported as an event: once it has lasted for a while, and for longer each time the state flaps.
import { presenceConfirmMaxMs, presenceConfirmMs, presenceFlapMs } from '../limits/presence.ts';

/** Times are of one clock that only rises. */
export class Hysteresis {
  /** The state that was reported last. */
  #reported: boolean;
  #sinceMs: number | null = null;
  /** The times of recent reports. */
  #reportTimesMs: number[] = [];

  constructor(reported: boolean) {
    this.#reported = reported;
  }

  get reported(): boolean {
    return this.#reported;
  }

  /** Takes the state at a moment; null: not known. Returns when a change is due to be reported; null: there is none. */
  observe(state: boolean | null, nowMs: number, extraMs = 0): number | null {
    if (state === null || state === this.#reported) {
      this.#sinceMs = null;
      return null;
    }
    this.#sinceMs ??= nowMs;
    return this.#sinceMs + extraMs + this.#confirmMs(nowMs);
  }

  /** The change was reported. */
  report(nowMs: number): void {
    this.#reported = !this.#reported;
    this.#sinceMs = null;
    this.#reportTimesMs = [...this.#recent(nowMs), nowMs];
  }

  #confirmMs(nowMs: number): number {
    const flaps = Math.max(this.#recent(nowMs).length - 2, 0);
    return Math.min(presenceConfirmMs * 2 ** flaps, presenceConfirmMaxMs);
  }

  #recent(nowMs: number): number[] {
    return this.#reportTimesMs.filter((atMs) => nowMs - atMs <= presenceFlapMs).slice(-keptMax);
  }
}

/** 2^9 × 300 ms is beyond the ceiling. */
const keptMax = 12;
