// Statements that a session plans once: prepared under their name, under the tenancy of whoever runs them, while all
// others are sent as they were.
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Migration } from './migrate.ts';
import { openStore, type Store } from './open-store.ts';
import { plannedOnce } from './planned-once.ts';
import { inAccount, inPlatform } from './tenancy.ts';
import { createEmptyDatabase, type TestDatabase } from './test-database.ts';

const accounts = ['0199aaaa-0000-7000-8000-000000000001', '0199aaaa-0000-7000-8000-000000000002'] as const;

const schema: Migration = {
  number: 1,
  name: 'notes',
  tenantTables: ['notes'],
  sql: `
    create table accounts (id uuid primary key);
    create table notes (account_id uuid not null references accounts);
  `,
};

let database: TestDatabase;
let store: Store;

beforeAll(async () => {
  database = await createEmptyDatabase();
  store = await openStore({
    dataDir: '',
    databaseUrl: database.databaseUrl,
    log: pino({ level: 'silent' }),
    migrations: [schema],
  });
  await inPlatform(store, async (trx) => {
    for (const id of accounts) {
      await sql`insert into accounts values (${id})`.execute(trx);
      await sql`insert into notes values (${id})`.execute(trx);
    }
  });
});

afterAll(async () => {
  await store?.close();
  await database?.drop();
});

const owners = sql<{ id: string }>`${plannedOnce('test_owners')} select account_id as id from notes`;

/** Names of the statements that the session of a transaction has prepared. */
async function preparedIn(trx: Parameters<Parameters<typeof inPlatform>[1]>[0]): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements order by name`.execute(
    trx,
  );
  return rows.map(({ name }) => name);
}

test('a statement is prepared once in a session, and sees what each transaction may see', async () => {
  for (const id of [...accounts, ...accounts]) {
    await inAccount(store, id, async (trx) => {
      expect((await owners.execute(trx)).rows).toEqual([{ id }]);
      expect(await preparedIn(trx)).toEqual(['test_owners']);
    });
  }
  await inPlatform(store, async (trx) => {
    expect((await owners.execute(trx)).rows).toHaveLength(accounts.length);
    await sql`select count(*) from notes`.execute(trx);
    expect(await preparedIn(trx)).toEqual(['test_owners']);
  });
});

test('a statement that fails is prepared, and works the next time', async () => {
  const divided = (by: number) =>
    sql<{ n: number }>`${plannedOnce('test_divided')} select 6 / ${by}::int as n`;
  await expect(inPlatform(store, (trx) => divided(0).execute(trx))).rejects.toThrow('division by zero');
  expect((await inPlatform(store, (trx) => divided(2).execute(trx))).rows).toEqual([{ n: 3 }]);
});

test('what is no name is refused where it is written', () => {
  expect(() => plannedOnce('x */ drop table accounts; /*')).toThrow('no name of a statement');
});
