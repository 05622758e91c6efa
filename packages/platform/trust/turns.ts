// Turns at something costly that strangers may ask for: a few at a time, the others wait in a line, and sources take
// turns in it. When the line is full, whoever holds most of it gives up a place, so that a flood from one address keeps
// nobody else out.
import { ProductError } from '@powernode/core/errors';
import { siteOf } from './guess-limit.ts';

export interface TurnLimits {
  /** At the same time. */
  readonly atOnce: number;
  /** In the line. */
  readonly waiting: number;
  readonly retryAfterSeconds: number;
}

interface Waiting {
  readonly admit: () => void;
  readonly refuse: (why: ProductError) => void;
}

export class Turns {
  readonly #limits: TurnLimits;
  /** By source, in the order in which they are served; none is empty. */
  readonly #lines = new Map<string, Waiting[]>();
  #underWay = 0;
  #waiting = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Runs the work in its turn; throws `busy` when there is no place in the line. */
  async take<T>(source: string, work: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#limits.atOnce) this.#underWay++;
    else await this.#wait(siteOf(source));
    try {
      return await work();
    } finally {
      // The turn passes on to the next one as it is.
      if (!this.#admitNext()) this.#underWay--;
    }
  }

  #wait(site: string): Promise<void> {
    const line = this.#lines.get(site) ?? [];
    if (this.#waiting >= this.#limits.waiting) {
      const longest = [...this.#lines.values()].reduce((a, b) => (b.length > a.length ? b : a));
      if (line.length + 1 >= longest.length) throw this.#busy();
      this.#waiting--;
      longest.pop()?.refuse(this.#busy());
    }
    this.#waiting++;
    this.#lines.set(site, line);
    return new Promise((admit, refuse) => line.push({ admit, refuse }));
  }

  #admitNext(): boolean {
    const [first] = this.#lines;
    if (first === undefined) return false;
    const [site, line] = first;
    const next = line.shift();
    this.#waiting--;
    // The next source goes first from here on.
    this.#lines.delete(site);
    if (line.length > 0) this.#lines.set(site, line);
    next?.admit();
    return true;
  }

  #busy(): ProductError {
    const { retryAfterSeconds } = this.#limits;
    return new ProductError(
      'busy',
      `Too many instances join at the same time. Try again in ${retryAfterSeconds} s.`,
      { members: { retry_after_seconds: retryAfterSeconds } },
    );
  }
}
