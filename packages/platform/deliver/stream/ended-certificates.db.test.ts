// Machines that another process ended while its message was lost are found, however the clock is set between two looks.
import { clockSkewMs } from '@powernode/core/limits/node-stream';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { openTestStore, type TestStore } from '../../store/test-database.ts';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { instanceRow } from '../testing/instance-row.fixture.ts';
import { EndedCertificates } from './ended-certificates.ts';

const accountId = uuidv7();
let database: TestStore;

beforeAll(async () => {
  database = await openTestStore();
  await inPlatform(database.store, (trx) =>
    trx.insertInto('accounts').values({ id: accountId, name: 'a', pool_prefix: 'fd00::/48' }).execute(),
  );
});
afterAll(() => database.close());

/** A machine that was terminated at that time, by the clock of whoever did it. */
async function terminated(atMs: number): Promise<string> {
  const id = uuidv7();
  await inPlatform(database.store, (trx) =>
    trx
      .insertInto('instances')
      .values(instanceRow({ id, account_id: accountId, status: 'terminated', terminated_at: new Date(atMs) }))
      .execute(),
  );
  return id;
}

test.each([3_600_000, -3_600_000])(
  'one that ended after the clock was set by %d ms, or just before [9.24]',
  async (byMs) => {
    const clock = new SimulatedClock();
    const ended = new EndedCertificates(database.store, clock);
    const lookMs = 5_000;
    const earlier = await terminated(clock.now() - clockSkewMs - 1);
    const before = await terminated(clock.now() + 1_000);
    clock.set(byMs);
    await clock.advance(lookMs);
    const after = await terminated(clock.now() - 1_000);
    const found = (await ended.look()).map(({ instanceId }) => instanceId);
    expect(found).toEqual(expect.arrayContaining([before, after]));
    if (byMs > 0) expect(found).not.toContain(earlier);
    await clock.advance(clockSkewMs + lookMs);
    await ended.look();
    expect((await ended.look()).map(({ instanceId }) => instanceId)).not.toContain(after);
  },
);
