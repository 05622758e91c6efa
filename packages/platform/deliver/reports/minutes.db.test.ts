// How many events a node causes in a minute is counted on a clock that nobody sets.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import { nodeEventsPerMinuteMax, reportFlushMs } from '@powernode/core/limits/node-stream';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inProcessBus } from '../../events/event-bus.ts';
import { inAccount, inPlatform } from '../../store/tenancy.ts';
import { openTestStore, type TestStore } from '../../store/test-database.ts';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState, NodeStream } from '../nodes/node-state.ts';
import { instanceRow } from '../testing/instance-row.fixture.ts';
import { DriftEvents } from './drift.ts';
import { ProblemReports } from './problems.ts';

const hourMs = 3_600_000;
const log = pino({ level: 'silent' });

let database: TestStore;
let accountId: string;
let clock: SimulatedClock;
let bus: ReturnType<typeof inProcessBus>;
let node: NodeState;
/** Kinds of events, as they were published. */
let events: string[];

beforeAll(async () => {
  database = await openTestStore();
  accountId = uuidv7();
  await inPlatform(database.store, (trx) =>
    trx.insertInto('accounts').values({ id: accountId, name: 'a', pool_prefix: 'fd00::/48' }).execute(),
  );
});
afterAll(() => database.close());

beforeEach(async () => {
  clock = new SimulatedClock();
  events = [];
  bus = inProcessBus((error) => {
    throw error;
  });
  bus.subscribe((message) => {
    if (message.kind === 'event') events.push(message.event.kind);
  });
  node = nodeState({ instanceId: uuidv7(), accountId, hostname: 'edge1' });
  node.stream = {} as NodeStream;
  await inAccount(database.store, accountId, (trx) =>
    trx
      .insertInto('instances')
      .values(instanceRow({ id: node.instanceId, account_id: accountId }))
      .execute(),
  );
});

describe.each([hourMs, -hourMs])('with the clock set by %d ms', (byMs) => {
  test('repairs cause as many events in a minute [9.24]', async () => {
    const drift = new DriftEvents({ store: database.store, bus, clock, log });
    const repaired = () =>
      drift.repaired(node, [
        { at: '2026-11-29T10:00:00.000Z', key: 'route/fd00::/64', detail: 'it was gone' },
      ]);
    for (let i = 0; i < nodeEventsPerMinuteMax; i++) repaired();
    await expect.poll(() => events).toHaveLength(nodeEventsPerMinuteMax);
    clock.set(byMs);
    await clock.advance(59_999);
    repaired();
    await clock.advance(1);
    repaired();
    await expect.poll(() => events).toHaveLength(nodeEventsPerMinuteMax + 1);
    const rows = await inAccount(database.store, accountId, (trx) =>
      trx.selectFrom('events').select('payload').where('kind', '=', 'sdwan.drift.repaired').execute(),
    );
    const own = rows.filter(({ payload }) => payload['node_instance_id'] === node.instanceId);
    // The one that was over the limit is counted in the next.
    expect(own.map(({ payload }) => payload['repaired_count'])).toContain(2);
    expect(own).toHaveLength(nodeEventsPerMinuteMax + 1);
  });

  test('problems cause as many events in a minute, and what waited is reported after it [9.24]', async () => {
    const fleet = new FleetIndex();
    const reports = new ProblemReports({ store: database.store, bus, clock, log, fleet });
    const say = async (isWrong: boolean) => {
      const since = '2026-11-29T10:00:00.000Z';
      const problem = {
        subsystem: 'nftables',
        code: 'nftables_failed',
        detail: 'nft is missing',
        since,
      } as const;
      reports.said(node, isWrong ? [problem] : []);
      await clock.advance(reportFlushMs);
      await reports.flush();
    };
    for (let i = 0; i < nodeEventsPerMinuteMax; i++) await say(i % 2 === 0);
    expect(events).toHaveLength(nodeEventsPerMinuteMax);
    clock.set(byMs);
    await say(nodeEventsPerMinuteMax % 2 === 0);
    expect(events).toHaveLength(nodeEventsPerMinuteMax);
    await clock.advance(60_000);
    await reports.flush();
    expect(events).toHaveLength(nodeEventsPerMinuteMax + 1);
  });
});
