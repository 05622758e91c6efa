// Which changes of presence become events, and when: after they have lasted, one by one as long as there are few, and
// all in one when there are many.
import type { AccountId } from '@powernode/core/ids';
import { presenceEventsMax, presenceEventsMs, presenceGatherMs } from '@powernode/core/limits/presence';
import type { Hysteresis } from '@powernode/core/presence/hysteresis';

/** One thing that is there or not. */
export interface Subject {
  readonly key: string;
  readonly accountId: AccountId;
  readonly hysteresis: Hysteresis;
}

export interface Due<T> {
  readonly accountId: AccountId;
  readonly subjects: readonly T[];
  readonly asOne: boolean;
}

interface Budget {
  sinceMs: number;
  reported: number;
}

export class News<T extends Subject> {
  /** Those whose change waits until it is long enough to be reported, with when that is. */
  readonly #pending = new Map<string, { readonly subject: T; readonly dueMs: number }>();
  readonly #budgets = new Map<string, Budget>();
  /** By account: those that are reported together, since when. */
  readonly #gathered = new Map<string, { readonly sinceMs: number; readonly subjects: T[] }>();

  see(subject: T, state: boolean | null, at: { readonly runMs: number; readonly extraMs?: number }): void {
    const dueMs = subject.hysteresis.observe(state, at.runMs, at.extraMs);
    if (dueMs === null) this.#pending.delete(subject.key);
    else this.#pending.set(subject.key, { subject, dueMs });
  }

  forget(key: string): void {
    this.#pending.delete(key);
  }

  /** What is to be reported now. It counts as reported from then on. */
  takeDue(runMs: number): Due<T>[] {
    for (const [key, { subject, dueMs }] of this.#pending) {
      if (dueMs > runMs) continue;
      this.#pending.delete(key);
      subject.hysteresis.report(runMs);
      const gathered = this.#gathered.get(subject.accountId) ?? { sinceMs: runMs, subjects: [] };
      gathered.subjects.push(subject);
      this.#gathered.set(subject.accountId, gathered);
    }
    const due: Due<T>[] = [];
    for (const [accountId, { sinceMs, subjects }] of this.#gathered) {
      const asOne = !this.#has(accountId, subjects.length, runMs);
      if (asOne && runMs - sinceMs < presenceGatherMs) continue;
      this.#gathered.delete(accountId);
      due.push({ accountId, subjects, asOne });
    }
    return due;
  }

  /** Whether the budget allows so many single events, which are then counted. */
  #has(accountId: AccountId, count: number, runMs: number): boolean {
    const known = this.#budgets.get(accountId);
    const budget =
      known !== undefined && runMs - known.sinceMs < presenceEventsMs
        ? known
        : { sinceMs: runMs, reported: 0 };
    this.#budgets.set(accountId, budget);
    if (budget.reported + count > presenceEventsMax) return false;
    budget.reported += count;
    return true;
  }
}
