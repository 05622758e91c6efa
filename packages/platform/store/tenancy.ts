// Every query runs inside a scope that the database enforces: one account, or the platform's own bookkeeping.
// A query outside of both sees and changes nothing. The policies themselves: tenancy-policies.ts.

import { transactionAttemptsMax } from '@powernode/core/limits/database';
import { type IsolationLevel, sql, type Transaction } from 'kysely';
import { databaseAway, isConflictOfTransactions, isDatabaseAway, outcomeUnknown } from './database-errors.ts';
import type { Store } from './open-store.ts';
import type { Database } from './tables.ts';

/** May run more than once when transactions collide: it must have no effect outside of `trx`. */
export type Work<T> = (trx: Transaction<Database>) => Promise<T>;

/** Sees and changes rows of one account only, also where a `where` is missing. */
export function inAccount<T>(store: Pick<Store, 'db'>, accountId: string, work: Work<T>): Promise<T> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(accountId)) {
    throw new TypeError(`${JSON.stringify(accountId)} is no account id`);
  }
  return inScope(store, { accountId, scope: '' }, work);
}

/** Sees the rows of all accounts: for what the platform does on its own behalf, never on an operator's. */
export function inPlatform<T>(store: Pick<Store, 'db'>, work: Work<T>): Promise<T> {
  return inScope(store, { accountId: '', scope: 'platform' }, work);
}

/** As `inPlatform`, but every query sees the database as it was at the first one (repeatable read). */
export function inPlatformAtOneMoment<T>(store: Pick<Store, 'db'>, work: Work<T>): Promise<T> {
  return inScope(store, { accountId: '', scope: 'platform', isolation: 'repeatable read' }, work);
}

/** Reads in the platform's scope inside of a transaction of one account, which has its own scope again afterwards. */
export async function readInPlatform<T>(trx: Transaction<Database>, work: Work<T>): Promise<T> {
  const { rows } = await sql<{ scope: string | null }>`
    select current_setting('powernode.scope', true) as scope, set_config('powernode.scope', 'platform', true)
  `.execute(trx);
  try {
    return await work(trx);
  } finally {
    // A transaction that has failed takes no more, and its scope ends with it.
    await sql`select set_config('powernode.scope', ${rows[0]?.scope ?? ''}, true)`
      .execute(trx)
      .catch(() => undefined);
  }
}

interface Scope {
  readonly accountId: string;
  readonly scope: '' | 'platform';
  readonly isolation?: IsolationLevel;
}

async function inScope<T>(store: Pick<Store, 'db'>, scope: Scope, work: Work<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let committing = false;
    try {
      const plain = store.db.transaction();
      const transaction = scope.isolation === undefined ? plain : plain.setIsolationLevel(scope.isolation);
      return await transaction.execute(async (trx) => {
        // Local to the transaction: a pooled session carries no scope over to whoever gets it next.
        await sql`
          select set_config('powernode.account_id', ${scope.accountId}, true),
                 set_config('powernode.scope', ${scope.scope}, true)
        `.execute(trx);
        const result = await work(trx);
        committing = true;
        return result;
      });
    } catch (error) {
      if (isConflictOfTransactions(error) && attempt < transactionAttemptsMax) continue;
      if (isDatabaseAway(error)) throw committing ? outcomeUnknown(error) : databaseAway(error);
      throw error;
    }
  }
}
