// What is done again and again: each round begins after the one before has ended, and the first of several failures is
// logged.
import type { Logger } from 'pino';
import type { Clock } from '../trust/clock.ts';

export class Rounds {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #calls = new Set<() => void>();
  #stopped = false;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  every(delayMs: number, run: () => void | Promise<void>): void {
    let isFailing = false;
    const round = async () => {
      try {
        await run();
        isFailing = false;
      } catch (error) {
        if (!isFailing) this.#log.warn({ err: error }, 'a round failed and is tried again');
        isFailing = true;
      }
      this.once(delayMs, round);
    };
    this.once(delayMs, round);
  }

  once(delayMs: number, run: () => void | Promise<void>): void {
    if (this.#stopped) return;
    const callOff = this.#clock.after(delayMs, () => {
      this.#calls.delete(callOff);
      if (!this.#stopped) void run();
    });
    this.#calls.add(callOff);
  }

  stop(): void {
    this.#stopped = true;
    for (const callOff of this.#calls) callOff();
    this.#calls.clear();
  }
}
