// Two machines with one identity, over a real database and real streams: the one that was there keeps its stream, it is
// reported, and the other one is sent instructions.
import { closeCodes } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JoinedNode, Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

async function established(): Promise<JoinedNode> {
  const joined = await stage.join();
  await joined.node.connect();
  await stage.until(async () => (await stage.instance(joined.instanceId)).status === 'running');
  return joined;
}

const eventsOf = async ({ instanceId }: JoinedNode) =>
  (await stage.events('system.instance.duplicate_identity')).filter(
    (event) => event.payload['node_instance_id'] === instanceId,
  );

test('a cloned machine is refused with instructions to join as itself; the first one loses nothing [9.31]', async () => {
  const first = await established();
  const clone = stage.nodeWith(first.credentials);
  for (let i = 0; i < 3; i++) {
    await clone.connect();
    await stage.until(() => clone.ended !== null);
    expect(clone.ended).toEqual({
      code: closeCodes.duplicate,
      reason:
        'another system uses this identity; to join as a separate instance: powernode agent join --anew --token TOKEN',
    });
  }
  expect(clone.received.frames).toBe(0);
  expect(first.node.connected).toBe(true);
  // Three tries are one story.
  await stage.until(async () => (await eventsOf(first)).length > 0);
  expect(await eventsOf(first)).toMatchObject([
    { severity: 'error', payload: { refused_address: '127.0.0.1', detail: expect.stringMatching(/--anew/) } },
  ]);
  await stage.until(async () =>
    (await stage.instance(first.instanceId)).subsystems.some(
      ({ name, state }) => name === 'identity' && state === 'failed',
    ),
  );
  expect(stage.delivery.counters()['streams_duplicate']).toBe(3);
});

test('a machine that was restarted gets its stream at once, when its old connection has ended [9.31]', async () => {
  const first = await established();
  first.node.drop();
  const restarted = stage.nodeWith(first.credentials);
  await restarted.connect();
  await stage.until(() => restarted.received.frames > 0);
  expect(await eventsOf(first)).toEqual([]);
});

test('what a refused machine sends does not count as a report of the first one [9.31]', async () => {
  const first = await established();
  const heartbeat = async () => (await stage.instance(first.instanceId)).agent_version;
  const before = await heartbeat();
  const clone = stage.nodeWith(first.credentials, { keys: ['A'.repeat(43).concat('=')] });
  await clone.connect();
  clone.say({ kind: 'failed', revision: 7, message: 'a lie' });
  await stage.until(() => clone.ended !== null);
  expect(clone.ended?.code).toBe(closeCodes.duplicate);
  first.node.say({ kind: 'failed', revision: 7, message: 'the truth' });
  await stage.until(async () =>
    (await stage.instance(first.instanceId)).subsystems.some(({ name }) => name === 'apply'),
  );
  const apply = (await stage.instance(first.instanceId)).subsystems.filter(({ name }) => name === 'apply');
  expect(apply).toMatchObject([{ message: 'revision 7: the truth' }]);
  expect(await stage.keys(first.instanceId)).not.toContainEqual(
    expect.objectContaining({ public_key: 'A'.repeat(43).concat('=') }),
  );
  expect(await heartbeat()).toBe(before);
});

/** Two processes on one bus that know of each other, and a machine on a stream of the first. */
async function onTwo() {
  const first = await established();
  const neighbour = await stage.neighbour(stage.bus);
  const isKnown = () => neighbour.delivery.nodeDelivery(first.instanceId).connected;
  await stage.until(isKnown);
  const elsewhere = (run?: string) =>
    stage.nodeWith(first.credentials, { nodeUrl: neighbour.nodeUrl, ...(run === undefined ? {} : { run }) });
  return { first, neighbour, elsewhere };
}

const refused = {
  code: closeCodes.duplicate,
  reason:
    'another system uses this identity; to join as a separate instance: powernode agent join --anew --token TOKEN',
};

test('a clone that comes to another process is refused there, and the first one loses nothing [9.31]', async () => {
  const { first, neighbour, elsewhere } = await onTwo();
  // Another program, and the same one, copied while it ran.
  for (const clone of [elsewhere(), elsewhere(first.node.run)]) {
    await clone.connect();
    await stage.until(() => clone.ended !== null);
    expect(clone.ended).toEqual(refused);
    expect(clone.received.frames).toBe(0);
  }
  expect(first.node.connected).toBe(true);
  expect(neighbour.delivery.counters()['streams_duplicate']).toBe(2);
  await stage.until(async () => (await eventsOf(first)).length > 0);
  expect(await eventsOf(first)).toMatchObject([
    { severity: 'error', payload: { refused_address: '127.0.0.1' } },
  ]);
  await stage.until(async () =>
    (await stage.instance(first.instanceId)).subsystems.some(
      ({ name, state }) => name === 'identity' && state === 'failed',
    ),
  );
  expect(neighbour.delivery.nodeDelivery(first.instanceId).connected).toBe(true);
  await neighbour.close();
});

test('a machine that moves to another process gets its stream there, when its old connection has ended [9.31]', async () => {
  const { first, neighbour, elsewhere } = await onTwo();
  first.node.drop();
  const moved = elsewhere(first.node.run);
  await moved.connect();
  await stage.until(() => moved.received.frames > 0);
  expect(moved.connected).toBe(true);
  expect(await eventsOf(first)).toEqual([]);
  await neighbour.close();
});

test('two that come to processes which do not know of each other yet: one is refused, with an event [9.31]', async () => {
  const first = await established();
  // It has heard nothing from the other process yet.
  const neighbour = await stage.neighbour(stage.bus);
  const clone = stage.nodeWith(first.credentials, { nodeUrl: neighbour.nodeUrl });
  await clone.connect();
  await stage.until(() => clone.ended !== null || first.node.ended !== null);
  await stage.until(async () => (await eventsOf(first)).length > 0);
  expect([clone.ended, first.node.ended]).toEqual([refused, null]);
  // Whatever the two processes published meanwhile, both know where it is.
  await stage.until(
    () =>
      neighbour.delivery.nodeDelivery(first.instanceId).connected &&
      stage.delivery.nodeDelivery(first.instanceId).connected,
  );
  await neighbour.close();
});
