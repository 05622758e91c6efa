// The changes of one account on their way into memory: in strict order of their numbers, however they arrive.

import type { Change } from '@powernode/core/compile/fleet-index';
import type { AccountId } from '@powernode/core/ids';
import { changesReadMax } from '@powernode/core/limits';

/** A row of `changes`: what one transaction changed. */
export interface NumberedChanges {
  readonly sequence: number;
  readonly changes: readonly Change[];
}

export class AccountQueue {
  readonly accountId: AccountId;
  /** The last number taken out, and with that into memory. */
  #taken: number;
  /** The highest number known to be committed. */
  #known: number;
  readonly #waiting = new Map<number, readonly Change[]>();

  constructor(accountId: AccountId, taken: number) {
    this.accountId = accountId;
    this.#taken = taken;
    this.#known = taken;
  }

  get taken(): number {
    return this.#taken;
  }

  get known(): number {
    return this.#known;
  }

  /** Without `changes`: they are committed, and have to be read. */
  offer(sequence: number, changes?: readonly Change[]): void {
    if (sequence <= this.#taken) return;
    if (sequence > this.#known) this.#known = sequence;
    // Far ahead of a gap they are read again with the rest, so that what waits stays small.
    if (changes !== undefined && this.#waiting.size < changesReadMax) this.#waiting.set(sequence, changes);
  }

  /** The next one in order, or null: nothing is left, or it has to be read first. */
  next(): NumberedChanges | null {
    const sequence = this.#taken + 1;
    const changes = this.#waiting.get(sequence);
    if (changes === undefined) return null;
    this.#waiting.delete(sequence);
    this.#taken = sequence;
    return { sequence, changes };
  }

  /** Whether the next one is known to be there and is not here. */
  get missing(): boolean {
    return this.#known > this.#taken && !this.#waiting.has(this.#taken + 1);
  }

  get ready(): boolean {
    return this.#waiting.has(this.#taken + 1);
  }
}
