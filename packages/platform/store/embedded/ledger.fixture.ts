// Test support: the smallest schema on which "no acknowledged row is lost" can be counted.
import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';
import type { Store } from '../open-store.ts';
import { inPlatform } from '../tenancy.ts';

export const ledger: Migration = {
  number: 1,
  name: 'ledger',
  sql: 'create table ledger (number int primary key)',
};

export async function numbersIn(store: Store): Promise<ReadonlySet<number>> {
  const { rows } = await inPlatform(store, (trx) =>
    sql<{ number: number }>`select number from ledger`.execute(trx),
  );
  return new Set(rows.map(({ number }) => number));
}
