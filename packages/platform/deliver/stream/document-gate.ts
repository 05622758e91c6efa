// Lets only so many whole documents be on their way at once. After a start thousands of nodes may ask for theirs
// together, and all of them in memory at the same time would be more than the machine has.
import { documentEntriesMax, documentHoldMs } from '@powernode/core/limits';
import type { Clock } from '../../trust/clock.ts';

/** One document on its way. */
export interface Passage {
  /** Puts it on the line; answers how many entries it has, 0 when nobody is there to have it any more. */
  send(): number;
  /** Calls when the line has taken it. */
  whenTaken(run: () => void): void;
}

export class DocumentGate {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #waiting: Passage[] = [];
  #entries = 0;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  enter(passage: Passage): void {
    this.#waiting.push(passage);
    this.#open();
  }

  #open(): void {
    while (this.#entries < documentEntriesMax) {
      const passage = this.#waiting.shift();
      if (passage === undefined) return;
      const entries = passage.send();
      if (entries > 0) this.#hold(passage, entries);
    }
  }

  /** A node that does not read what it is sent holds its place only for a while. */
  #hold(passage: Passage, entries: number): void {
    this.#entries += entries;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      callOff();
      this.#entries -= entries;
      this.#open();
    };
    const callOff = this.#clock.after(documentHoldMs, release);
    passage.whenTaken(release);
  }
}
