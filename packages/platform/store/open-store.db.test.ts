// The store by DATABASE_URL: what it refuses, how values come back.
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from './open-store.ts';
import { urlOf } from './test-cluster.ts';
import { openTestStore, type TestStore, testCluster } from './test-database.ts';

const log = pino({ level: 'silent' });
let opened: TestStore;

beforeAll(async () => {
  opened = await openTestStore();
});

afterAll(async () => {
  await opened.close();
});

test('two processes may share a database server', async () => {
  const other = await openStore({ dataDir: '', databaseUrl: opened.databaseUrl, log });
  expect((await sql`select 1 as one`.execute(other.db)).rows).toEqual([{ one: 1 }]);
  await other.close();
});

test('int8 is a number, timestamptz a Date, and what a number cannot hold is an error', async () => {
  const { rows } = await sql`
    select 9007199254740991::int8 as largest, array[1, null, -2]::int8[] as list, count(*) as count,
      '2026-01-02T03:04:05.678Z'::timestamptz as at
  `.execute(opened.store.db);
  expect(rows).toEqual([
    {
      largest: Number.MAX_SAFE_INTEGER,
      list: [1, null, -2],
      count: 1,
      at: new Date('2026-01-02T03:04:05.678Z'),
    },
  ]);
  await expect(sql`select 9007199254740992::int8`.execute(opened.store.db)).rejects.toThrow('too large');
});

test('a database that is not there is named without its password', async () => {
  const databaseUrl = urlOf({ ...testCluster(), password: 'not-the-password' }, 'postgres');
  const failure = await openStore({ dataDir: '', databaseUrl, log }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'invalid_configuration' });
  expect(String(failure)).not.toContain('not-the-password');
});

test('a server that does not answer is reported as unavailable', async () => {
  const databaseUrl = 'postgres://someone:secret@127.0.0.1:1/nothing';
  await expect(openStore({ dataDir: '', databaseUrl, log })).rejects.toMatchObject({
    code: 'database_unavailable',
  });
});

test('an address that is no PostgreSQL address is refused', async () => {
  const databaseUrl = 'mysql://someone:secret@127.0.0.1/nothing';
  const failure = await openStore({ dataDir: '', databaseUrl, log }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'invalid_configuration' });
  expect(String(failure)).not.toContain('secret');
});
