// A page of long rows ends before its size, so that no list answers more than a few megabytes, and loses nothing.
import { pageBytesMax } from '@powernode/core/limits/requests';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount } from '../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

test('a list of machines that said a great deal is answered in pages of limited size [9.6]', async () => {
  const { accountId } = platform.admin;
  const ids: string[] = [];
  for (let i = 0; i < 120; i++) ids.push(await platform.addMachine(accountId, `talker-${i}`));
  const said = [
    { name: 'loud', state: 'ok', message: 'x'.repeat(100_000), observed_at: '2026-11-29T10:00:00Z' },
  ];
  await inAccount(platform.store, accountId, (trx) =>
    sql`update instances set subsystems = ${JSON.stringify(said)}::jsonb`.execute(trx),
  );
  const found: string[] = [];
  let cursor: string | null | undefined;
  let pages = 0;
  do {
    const answer = (await platform.call('listInstances', {
      limit: 500,
      ...(cursor == null ? {} : { cursor }),
    })) as unknown as { instances: { id: string }[]; count: number; next_cursor: string | null };
    expect(JSON.stringify(answer).length).toBeLessThan(pageBytesMax * 1.1);
    expect(answer.count).toBe(answer.instances.length);
    found.push(...answer.instances.map(({ id }) => id));
    cursor = answer.next_cursor;
    pages++;
  } while (cursor !== null);
  expect(pages).toBeGreaterThan(2);
  expect(found.toSorted()).toEqual(ids.toSorted());
});
