// The changes of one account on their way into memory: in strict order of their numbers, however they arrive.

import type { Change } from '@powernode/core/compile/fleet-index';
import type { AccountId } from '@powernode/core/ids';
import { changesReadMax } from '@powernode/core/limits/node-stream';

/** A row of `changes`: what one transaction changed. */
export interface NumberedChanges {
  readonly sequence: number;
  readonly changes: readonly Change[];
}

export class AccountQueue {
  readonly accountId: AccountId;
  /** The number of the last change that left the queue and was applied to the fleet in memory. */
  #applied: number;
  /** The highest number known to be committed. */
  #known: number;
  readonly #waiting = new Map<number, readonly Change[]>();

  constructor(accountId: AccountId, applied: number) {
    this.accountId = accountId;
    this.#applied = applied;
    this.#known = applied;
  }

  get applied(): number {
    return this.#applied;
  }

  get known(): number {
    return this.#known;
  }

  /** Without `changes`: they are committed, and have to be read. */
  offer(sequence: number, changes?: readonly Change[]): void {
    if (sequence <= this.#applied) return;
    if (sequence > this.#known) this.#known = sequence;
    // Far ahead of a gap they are read again with the rest, so that what waits stays small.
    if (changes !== undefined && this.#waiting.size < changesReadMax) this.#waiting.set(sequence, changes);
  }

  /** The next one in order, or null: nothing is left, or it has to be read first. */
  next(): NumberedChanges | null {
    const sequence = this.#applied + 1;
    const changes = this.#waiting.get(sequence);
    if (changes === undefined) return null;
    this.#waiting.delete(sequence);
    this.#applied = sequence;
    return { sequence, changes };
  }

  /** Whether the next one is known to be there and is not here. */
  get missing(): boolean {
    return this.#known > this.#applied && !this.#waiting.has(this.#applied + 1);
  }

  get ready(): boolean {
    return this.#waiting.has(this.#applied + 1);
  }
}
