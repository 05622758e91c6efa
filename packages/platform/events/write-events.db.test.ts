// Over a real database: an account's events have ids in the order of their commits.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount, inPlatform } from '../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { type EventDraft, lastEventId, writeEvents } from './write-events.ts';

let platform: TestPlatform;
let accountId: string;
beforeAll(async () => {
  platform = await startTestPlatform();
  const authorization = `Bearer ${platform.adminToken}`;
  ({ accountId } = await platform.authenticate({ authorization, source: '127.0.0.1' }));
});
afterAll(() => platform.close());

function draft(kind: string): EventDraft {
  return {
    account_id: accountId,
    kind,
    severity: 'info',
    at: new Date().toISOString(),
    actor: { kind: 'platform', id: null, name: 'platform' },
    correlation_id: 'test',
    payload: {},
  };
}

/** The account's events from one on, as a reader gets them that comes back. */
const readAfter = (last: string) =>
  inAccount(platform.store, accountId, async (trx) =>
    (
      await trx.selectFrom('events').select(['id', 'kind']).where('id', '>', last).orderBy('id').execute()
    ).map((row) => row.kind),
  );
const lastNow = () => inAccount(platform.store, accountId, (trx) => lastEventId(trx, accountId));

test('one that commits late has a late id: whoever read up to an id misses nothing before it', async () => {
  const start = await lastNow();
  let commit = () => {};
  const held = new Promise<void>((resolve) => (commit = resolve));
  let wrote = () => {};
  const written = new Promise<void>((resolve) => (wrote = resolve));
  const slow = inAccount(platform.store, accountId, async (trx) => {
    await writeEvents(trx, [draft('slow.one'), draft('slow.two')]);
    wrote();
    await held;
  });
  await written;
  const quick = Promise.all(
    ['quick.one', 'quick.two', 'quick.three'].map((kind) =>
      inAccount(platform.store, accountId, (trx) => writeEvents(trx, [draft(kind)])),
    ),
  );
  expect(await readAfter(start)).toEqual([]);
  commit();
  await Promise.all([slow, quick]);
  const kinds = await readAfter(start);
  expect(kinds.slice(0, 2)).toEqual(['slow.one', 'slow.two']);
  expect(kinds.slice(2).toSorted()).toEqual(['quick.one', 'quick.three', 'quick.two']);
});

test('the next one is after an event whose clock was ahead', async () => {
  const ahead = 'f0000000-0000-7000-8000-000000000000';
  await inAccount(platform.store, accountId, (trx) =>
    trx
      .insertInto('events')
      .values({
        ...draft('ahead'),
        id: ahead,
        at: new Date(),
        actor: JSON.stringify(draft('ahead').actor),
        payload: '{}',
      })
      .execute(),
  );
  await inPlatform(platform.store, (trx) => writeEvents(trx, [draft('after'), draft('after it')]));
  expect(await readAfter(ahead)).toEqual(['after', 'after it']);
});
