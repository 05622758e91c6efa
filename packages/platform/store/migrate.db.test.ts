// Migrations against a real server: in order, once, whole, and never backwards.
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Migration } from './migrate.ts';
import { openStore, type Store } from './open-store.ts';
import { inPlatform } from './tenancy.ts';
import { createEmptyDatabase, type TestDatabase } from './test-database.ts';

const first: Migration = { number: 1, name: 'first', sql: 'create table one (number int)' };
const second: Migration = {
  number: 2,
  name: 'second',
  sql: 'create table two (number int); create table two_b (number int)',
};
const broken: Migration = { number: 2, name: 'broken', sql: 'create table half (number int); select 1 / 0' };

let database: TestDatabase;
let stores: Store[];

beforeEach(async () => {
  database = await createEmptyDatabase();
  stores = [];
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await database.drop();
});

async function open(migrations: readonly Migration[]): Promise<Store> {
  const store = await openStore({
    dataDir: '',
    databaseUrl: database.databaseUrl,
    log: pino({ level: 'silent' }),
    migrations,
  });
  stores.push(store);
  return store;
}

async function tables(store: Store): Promise<string[]> {
  const { rows } = await inPlatform(store, (trx) =>
    sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`.execute(trx),
  );
  return rows.map(({ name }) => name);
}

test('a newer program adds what is missing, and running again adds nothing', async () => {
  expect(await tables(await open([first]))).toEqual(['one', 'schema_migrations']);
  expect(await tables(await open([first, second]))).toEqual(['one', 'schema_migrations', 'two', 'two_b']);
  expect(await tables(await open([first, second]))).toEqual(['one', 'schema_migrations', 'two', 'two_b']);
});

test('processes that start together on an empty database run each migration once', async () => {
  const opened = await Promise.all(Array.from({ length: 5 }, () => open([first, second])));
  expect(opened).toHaveLength(5);
  expect(await tables(opened[0] as Store)).toEqual(['one', 'schema_migrations', 'two', 'two_b']);
});

test('a migration that fails leaves nothing of itself and does not stand in the way of its repair', async () => {
  await expect(open([first, broken])).rejects.toMatchObject({ code: '22012' });
  expect(await tables(await open([first]))).toEqual(['one', 'schema_migrations']);
  expect(await tables(await open([first, second]))).toContain('two');
});

test('an older program refuses a database that a newer one has changed', async () => {
  await open([first, second]);
  await expect(open([first])).rejects.toMatchObject({
    code: 'invalid_configuration',
    detail:
      'The database has been through migration 2 (second); this program knows only up to 1. Start the newer version that ran it, or restore a backup from before.',
  });
});

test('a program with another history refuses the database', async () => {
  await open([first]);
  await expect(open([{ ...first, name: 'other' }])).rejects.toMatchObject({ code: 'invalid_configuration' });
});

test('the product has rows of new tables, but neither their definition nor the record of migrations', async () => {
  const store = await open([first]);
  await inPlatform(store, (trx) => sql`insert into one values (1)`.execute(trx));
  for (const statement of [
    'truncate one',
    'drop table one',
    'select * from schema_migrations',
    'create table x ()',
  ]) {
    await expect(sql.raw(statement).execute(store.db)).rejects.toMatchObject({ code: '42501' });
  }
});

test('a narrower grant that a migration made itself is kept', async () => {
  const appendOnly: Migration = {
    number: 1,
    name: 'append only',
    sql: 'create table log (number int); grant select, insert on log to powernode_app',
  };
  await open([appendOnly]);
  const store = await open([appendOnly]);
  await inPlatform(store, (trx) => sql`insert into log values (1)`.execute(trx));
  const change = inPlatform(store, (trx) => sql`update log set number = 2`.execute(trx));
  await expect(change).rejects.toMatchObject({ code: '42501' });
});
