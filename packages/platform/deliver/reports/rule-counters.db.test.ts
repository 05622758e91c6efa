// Counters of rules over a real database: nodes are summed, and what was counted before a node began anew is kept.
import { ProductError } from '@powernode/core/errors';
import type { FirewallRule } from '@powernode/core/intent/firewall';
import { countMax } from '@powernode/core/limits/texts';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { systemClock } from '../../trust/clock.ts';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { type RuleCounterParts, RuleCounters } from './rule-counters.ts';

let platform: TestPlatform;
let counters: RuleCounters;
let parts: RuleCounterParts;
let rule: FirewallRule;
let nodes: { readonly a: NodeState; readonly b: NodeState };

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

let count = 0;
beforeEach(async () => {
  count++;
  const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `counted ${count}` });
  rule = await newRule(network.id);
  await expect.poll(() => platform.delivery.network(network.id)?.item(rule.id)).toBeDefined();
  parts = {
    store: platform.store,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    fleet: { networksOf: () => [platform.delivery.network(network.id)].filter((one) => one !== undefined) },
  };
  counters = new RuleCounters(parts);
  nodes = { a: await newNode(`a-${count}`), b: await newNode(`b-${count}`) };
});

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function newRule(networkId: string): Promise<FirewallRule> {
  const answer = await run<{ firewall_rule: FirewallRule }>('createFirewallRule', {
    network_id: networkId,
    direction: 'ingress',
    action: 'accept',
    selector: { kind: 'all' },
  });
  return answer.firewall_rule;
}

async function newNode(hostname: string): Promise<NodeState> {
  return nodeState({
    instanceId: await platform.addMachine(platform.admin.accountId, hostname),
    accountId: platform.admin.accountId,
    hostname,
  });
}

async function counted(): Promise<Pick<FirewallRule, 'packets' | 'bytes' | 'counted_at'>> {
  const answer = await run<{ firewall_rule: FirewallRule }>('getFirewallRule', { firewall_rule_id: rule.id });
  const { packets, bytes, counted_at } = answer.firewall_rule;
  return { packets, bytes, counted_at };
}

const counts = (packets: number, ruleId = rule.id) => [{ rule_id: ruleId, packets, bytes: packets * 100 }];

test('nothing is said until a node has counted, and then the sum of all nodes', async () => {
  expect(await counted()).toEqual({ packets: null, bytes: null, counted_at: null });
  counters.observed(nodes.a, counts(3));
  counters.observed(nodes.b, counts(4));
  await counters.flush();
  expect(await counted()).toMatchObject({ packets: 7, bytes: 700 });
  expect(Date.parse((await counted()).counted_at ?? '')).not.toBeNaN();
});

test('the newest report of a node replaces its earlier ones', async () => {
  counters.observed(nodes.a, counts(3));
  counters.observed(nodes.a, counts(5));
  await counters.flush();
  counters.observed(nodes.a, counts(9));
  await counters.flush();
  expect(await counted()).toMatchObject({ packets: 9, bytes: 900 });
});

test('what was counted before a node began anew is kept, however often that happens', async () => {
  for (const packets of [10, 2, 6, 1]) {
    counters.observed(nodes.a, counts(packets));
    await counters.flush();
  }
  expect(await counted()).toMatchObject({ packets: 17, bytes: 1700 });
});

test('nonsense, deleted rules and rules of other accounts are not stored, and cost the others nothing', async () => {
  const { account } = await run<{ account: { id: string } }>('createAccount', { name: `other ${count}` });
  const stranger = nodeState({
    instanceId: await platform.addMachine(account.id, 'stranger'),
    accountId: account.id,
    hostname: 'stranger',
  });
  counters.observed(stranger, counts(50));
  counters.observed(nodes.a, [
    ...counts(1, 'nonsense'),
    ...counts(2, platform.services.newId()),
    ...counts(3),
  ]);
  counters.observed(nodes.b, undefined);
  await counters.flush();
  expect(await counted()).toMatchObject({ packets: 3 });
});

test('a node that counts from 0 again and again ends at the largest number, and goes on being counted [9.6]', async () => {
  for (let i = 0; i < 4; i++) {
    counters.observed(nodes.a, [{ rule_id: rule.id, packets: countMax, bytes: countMax }]);
    await counters.flush();
    counters.observed(nodes.a, counts(0));
    await counters.flush();
  }
  expect((await counted()).packets).toBe(countMax);
});

test('while the database is away they wait', async () => {
  const { store } = platform;
  let away = true;
  const flaky = {
    get db() {
      if (away) throw new ProductError('database_unavailable', 'away');
      return store.db;
    },
  };
  counters = new RuleCounters({ ...parts, store: flaky });
  counters.observed(nodes.a, counts(3));
  await counters.flush();
  counters.observed(nodes.b, counts(1));
  away = false;
  await counters.flush();
  expect(await counted()).toMatchObject({ packets: 4 });
});
