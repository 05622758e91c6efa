// Problems that nodes report, over a real database and real streams: kept, with events, and only of their own networks.
import {
  nodeEventsPerMinuteMax,
  nodeProblemDetailMax,
  nodeProblemsMax,
} from '@powernode/core/limits/node-stream';
import { closeCodes } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JoinedNode, Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const since = '2026-11-29T10:00:00.000Z';
const nftables = { subsystem: 'nftables', code: 'nftables_failed', detail: 'nft is missing', since } as const;

async function connected(): Promise<JoinedNode> {
  const joined = await stage.join();
  await joined.node.connect();
  await stage.until(async () => (await stage.instance(joined.instanceId)).status === 'running');
  return joined;
}

function say({ node }: JoinedNode, ...problems: object[]): void {
  node.say({ kind: 'problems', problems });
}

async function stored({ instanceId }: JoinedNode): Promise<string[]> {
  return (await stage.instance(instanceId)).problems.map(({ code, detail }) => `${code} ${detail}`);
}

async function eventsOf({ instanceId }: JoinedNode, kind = 'system.instance.problem') {
  return (await stage.events(kind)).filter((event) => event.payload['node_instance_id'] === instanceId);
}

test('a problem is kept, with one event when it begins and one when it ends [9.G]', async () => {
  const one = await connected();
  say(one, nftables);
  await stage.until(async () => (await stored(one)).length === 1);
  say(one, { ...nftables, detail: 'nft still fails' });
  await stage.until(async () => (await stored(one))[0] === 'nftables_failed nft still fails');
  expect(await eventsOf(one)).toMatchObject([{ severity: 'error', payload: { problem: nftables } }]);
  expect(stage.delivery.problemCounts().get('nftables_failed')).toBe(1);
  say(one);
  await stage.until(async () => (await stored(one)).length === 0);
  expect(await eventsOf(one)).toHaveLength(1);
  expect(await eventsOf(one, 'system.instance.problem_ended')).toMatchObject([
    { severity: 'info', payload: { problem: { code: 'nftables_failed' } } },
  ]);
  expect(stage.delivery.problemCounts().size).toBe(0);
});

test('it outlives a restart of the platform, and what ended meanwhile has its event then [9.G]', async () => {
  const one = await connected();
  say(one, nftables);
  await stage.until(async () => (await stored(one)).length === 1);
  await stage.kill();
  await stage.start();
  expect(await stored(one)).toHaveLength(1);
  await one.node.connect(stage.nodeUrl);
  say(one);
  await stage.until(async () => (await eventsOf(one, 'system.instance.problem_ended')).length === 1);
  expect(await eventsOf(one)).toHaveLength(1);
});

test('a node speaks of its own networks and their peers, each code in its own part, each problem once [9.G]', async () => {
  const [own, other] = [await stage.network(), await stage.network()];
  const [one, stranger] = [await connected(), await connected()];
  const mine = await stage.attach(own, one.instanceId);
  const hub = await stage.attach(own, stranger.instanceId, { hubSlot: 1 });
  const foreign = await stage.attach(other, stranger.instanceId);
  const path = { subsystem: 'wireguard', code: 'wireguard_failed', since } as const;
  say(
    one,
    { ...path, detail: 'foreign network', network_id: other.id },
    { ...path, detail: 'foreign peer', network_id: own.id, peer_id: foreign.id },
    { ...path, detail: 'no network', peer_id: hub.id },
    { ...path, subsystem: 'host', detail: 'wrong part' },
    { ...path, detail: 'first', network_id: own.id, peer_id: hub.id },
    { ...path, detail: 'second', network_id: own.id, peer_id: hub.id },
    { ...path, detail: 'mine', network_id: own.id, peer_id: mine.id },
  );
  await stage.until(async () => (await stored(one)).length > 0);
  expect(await stored(one)).toEqual(['wireguard_failed second', 'wireguard_failed mine']);
});

test.each([
  ['more than the list holds', Array.from({ length: nodeProblemsMax + 1 }, () => nftables)],
  ['a longer text', [{ ...nftables, detail: 'x'.repeat(nodeProblemDetailMax + 1) }]],
  ['a text of several lines', [{ ...nftables, detail: 'a\nb' }]],
  ['a code that is no identifier', [{ ...nftables, code: 'made up' }]],
  ['a time that is none', [{ ...nftables, since: 'yesterday' }]],
])('%s is refused [9.G]', async (_, problems) => {
  const one = await connected();
  say(one, ...problems);
  await stage.until(() => one.node.ended?.code === closeCodes.malformed);
  expect(await stored(one)).toEqual([]);
});

test('a node that says something else all the time causes no more events than others [9.G]', async () => {
  const one = await connected();
  const many = (from: number) =>
    Array.from({ length: nodeProblemsMax }, (_, i) => ({ ...nftables, interface: `wg-${from + i}` }));
  say(one, ...many(0));
  await stage.until(async () => (await eventsOf(one)).length >= nodeEventsPerMinuteMax);
  expect((await stored(one)).length).toBe(nodeProblemsMax);
  for (let round = 1; round < 20; round++) say(one, ...many(100 * round));
  const witness = await connected();
  say(witness, nftables);
  await stage.until(async () => (await eventsOf(witness)).length === 1);
  const all = await eventsOf(one);
  expect(all).toHaveLength(nodeEventsPerMinuteMax);
  expect(all.map((event) => event.payload['unreported_count'])).toContain(
    nodeProblemsMax - nodeEventsPerMinuteMax,
  );
  expect(await eventsOf(one, 'system.instance.problem_ended')).toEqual([]);
});

test('a change that was rolled back has events of its own beside [9.10]', async () => {
  const one = await connected();
  const problem = {
    subsystem: 'agent',
    code: 'change_rolled_back',
    detail: 'Revision 3 was taken back.',
    since,
  };
  say(one, problem);
  await stage.until(async () => (await eventsOf(one, 'system.instance.rolled_back')).length === 1);
  expect(await eventsOf(one, 'system.instance.rolled_back')).toMatchObject([
    { severity: 'error', payload: { problem } },
  ]);
  expect(await eventsOf(one)).toHaveLength(1);
  say(one);
  await stage.until(async () => (await eventsOf(one, 'system.instance.rolled_back_ended')).length === 1);
});
