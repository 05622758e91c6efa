// The lock of a job: one process at a time, free again when its session ends, however it ends.
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Store } from '../store/open-store.ts';
import { openTestStore, type TestStore } from '../store/test-database.ts';
import { exclusively } from './exclusive.ts';

let first: TestStore;
let other: Store;
beforeAll(async () => {
  first = await openTestStore();
  other = await openStore({ dataDir: '', databaseUrl: first.databaseUrl, log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await other.close();
  await first.close();
});

/** Work that is under way until it is let go. */
function held(store: Store, name: string) {
  const begun = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  const ran = exclusively(store, name, async () => {
    begun.resolve();
    await letGo.promise;
  });
  return { begun: begun.promise, letGo: letGo.resolve, ran };
}

test('of two processes one runs it; another name is another lock', async () => {
  const one = held(first.store, 'a job');
  await one.begun;
  let runs = 0;
  const run = async () => void runs++;
  expect(await exclusively(other, 'a job', run)).toBe(false);
  expect(await exclusively(other, 'another job', run)).toBe(true);
  expect(runs).toBe(1);
  one.letGo();
  expect(await one.ran).toBe(true);
  expect(await exclusively(other, 'a job', run)).toBe(true);
});

test('work that fails leaves no lock behind', async () => {
  const failing = exclusively(first.store, 'a job', () => Promise.reject(new Error('failed')));
  await expect(failing).rejects.toThrow('failed');
  expect(await exclusively(other, 'a job', async () => undefined)).toBe(true);
});

test('a process whose session dies holds nothing any more', async () => {
  const one = held(first.store, 'a job');
  await one.begun;
  await sql`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
  `.execute(other.db);
  await expect.poll(() => exclusively(other, 'a job', async () => undefined)).toBe(true);
  one.letGo();
  await one.ran.catch(() => undefined);
});
