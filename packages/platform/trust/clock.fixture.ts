// Test support: a clock that stands still until it is moved, and does what is due in order.
import type { Clock } from './clock.ts';

interface Due {
  readonly at: number;
  readonly run: () => void;
}

export class SimulatedClock implements Clock {
  #now: number;
  /** By how much somebody has set the wall clock. */
  #setMs = 0;
  #due: Due[] = [];

  constructor(startMs = Date.parse('2026-11-21T12:00:00Z')) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#setMs;
  }

  steady(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const due: Due = { at: this.#now + Math.max(delayMs, 0), run };
    this.#due.push(due);
    return () => {
      this.#due = this.#due.filter((one) => one !== due);
    };
  }

  /** Sets the wall clock forward, or back; nothing becomes due by it. */
  set(byMs: number): void {
    this.#setMs += byMs;
  }

  /** Moves the time, and does on the way what is due, with what follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#due.reduce<Due | null>((a, b) => (a === null || b.at < a.at ? b : a), null);
      if (next === null || next.at > end) break;
      this.#due = this.#due.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

/** Lets promises that are settled run their continuations, a few deep. */
async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}
