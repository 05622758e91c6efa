// When a change is worth an event: it has lasted for a while, and longer each time it goes back and forth.
import { presenceConfirmMaxMs, presenceConfirmMs, presenceFlapMs } from '../limits/presence.ts';

/** Times are of one clock that only rises. */
export class Hysteresis {
  /** What was told last. */
  #told: boolean;
  #sinceMs: number | null = null;
  /** When it was told lately. */
  #tellings: number[] = [];

  constructor(told: boolean) {
    this.#told = told;
  }

  get told(): boolean {
    return this.#told;
  }

  /** The state at a moment; null: not known. Answers the time at which it becomes worth telling; null: it is not. */
  see(state: boolean | null, nowMs: number, extraMs = 0): number | null {
    if (state === null || state === this.#told) {
      this.#sinceMs = null;
      return null;
    }
    this.#sinceMs ??= nowMs;
    return this.#sinceMs + extraMs + this.#confirmMs(nowMs);
  }

  tell(nowMs: number): void {
    this.#told = !this.#told;
    this.#sinceMs = null;
    this.#tellings = [...this.#recent(nowMs), nowMs];
  }

  #confirmMs(nowMs: number): number {
    const flaps = Math.max(this.#recent(nowMs).length - 2, 0);
    return Math.min(presenceConfirmMs * 2 ** flaps, presenceConfirmMaxMs);
  }

  #recent(nowMs: number): number[] {
    return this.#tellings.filter((atMs) => nowMs - atMs <= presenceFlapMs).slice(-keptMax);
  }
}

/** 2^9 × 300 ms is beyond the ceiling. */
const keptMax = 12;
