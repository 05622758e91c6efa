// What nodes report, over a real database and real streams: where it is stored, and which events it causes.

import type { NetworkModel } from '@powernode/core/compile/model';
import { agentRoutesPerFrameMax } from '@powernode/core/limits/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JoinedNode, randomKey, Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** A network of a hub and a spoke, both connected and in sync. */
async function pair() {
  const network = await stage.network();
  const [hub, spoke] = [await stage.join(), await stage.join()];
  const hubPeer = await stage.attach(network, hub.instanceId, { hubSlot: 1 });
  const spokePeer = await stage.attach(network, spoke.instanceId);
  await Promise.all([hub.node.connect(), spoke.node.connect()]);
  await stage.until(() => stage.inSync(hub.instanceId) && stage.inSync(spoke.instanceId));
  return { network, hub, spoke, hubPeer, spokePeer };
}

function tunnel(network: NetworkModel, publicKey: string, at: Date | null = new Date()) {
  return {
    interface: `wg-${network.handle}`,
    public_key: publicKey,
    last_handshake_at: at?.toISOString() ?? null,
    rx_bytes: 1000,
    tx_bytes: 2000,
    endpoint: '203.0.113.9:51820',
  };
}

describe('a handshake that a node reports', () => {
  test('is stored, and makes both peers connected, with one event each', async () => {
    const { network, hub, spoke, hubPeer, spokePeer } = await pair();
    hub.node.observe({ tunnels: [tunnel(network, spokePeer.publicKey)] });
    await stage.until(async () => (await stage.tunnels(hub.instanceId)).length === 1);
    expect((await stage.tunnels(hub.instanceId))[0]).toMatchObject({
      interface: `wg-${network.handle}`,
      public_key: spokePeer.publicKey,
      rx_bytes: 1000,
      tx_bytes: 2000,
      endpoint: '203.0.113.9:51820',
    });
    spoke.node.observe({
      tunnels: [{ ...tunnel(network, hubPeer.publicKey), interface: `wg-${network.handle}-1` }],
    });
    await stage.until(async () => (await stage.tunnels(spoke.instanceId)).length === 1);
    const events = await stage.events('sdwan.peer.connected');
    const connected = events.filter((event) => event.payload['network_id'] === network.id);
    expect(connected).toHaveLength(2);
    expect(new Set(connected.map((event) => event.payload['peer_id']))).toEqual(
      new Set([hubPeer.id, spokePeer.id]),
    );
  });

  test('of a stranger, of another network, or of nonsense is not stored', async () => {
    const one = await pair();
    const other = await pair();
    one.hub.node.observe({
      tunnels: [
        tunnel(one.network, randomKey()),
        tunnel(one.network, other.spokePeer.publicKey),
        tunnel(other.network, other.spokePeer.publicKey),
        { ...tunnel(one.network, one.spokePeer.publicKey), interface: 'eth0' },
        { ...tunnel(one.network, one.spokePeer.publicKey, null), endpoint: 'nonsense' },
      ],
    });
    one.hub.node.observe({ tunnels: [tunnel(one.network, one.hubPeer.publicKey)] });
    await stage.until(async () => (await stage.tunnels(one.hub.instanceId)).length > 0);
    const rows = await stage.tunnels(one.hub.instanceId);
    for (const row of rows) {
      expect([one.hubPeer.publicKey, one.spokePeer.publicKey]).toContain(row.public_key);
      if (row.public_key === one.spokePeer.publicKey) expect(row.endpoint).toBeNull();
    }
    expect(await stage.tunnels(other.hub.instanceId)).toEqual([]);
  });
});

describe('a node that comes back', () => {
  test('reports all that it sees, and what it does not see any more is forgotten', async () => {
    const { network, hub, spokePeer } = await pair();
    const other = await stage.join();
    const otherPeer = await stage.attach(network, other.instanceId);
    await stage.until(() => stage.inSync(hub.instanceId));
    hub.node.observe({ tunnels: [tunnel(network, spokePeer.publicKey)] });
    await stage.until(async () => (await stage.tunnels(hub.instanceId)).length === 1);
    await hub.node.connect();
    hub.node.observe({ tunnels: [tunnel(network, otherPeer.publicKey)] });
    await stage.until(async () => {
      const rows = await stage.tunnels(hub.instanceId);
      return rows.length === 1 && rows[0]?.public_key === otherPeer.publicKey;
    });
  });

  test('is asked for what follows from its place once, and again when that changes', async () => {
    const { hub } = await pair();
    const seen = () => stage.observed.filter(({ instanceId }) => instanceId === hub.instanceId);
    await stage.until(() => seen().length === 1);
    expect(seen()[0]).toMatchObject({ observedAddress: '127.0.0.1', publiclyReachable: false });
    await hub.node.connect();
    await stage.until(() => hub.node.received.currents === 1);
    const row = await stage.instance(hub.instanceId);
    expect(row.observed_address).toBe('127.0.0.1');
    expect(seen()).toHaveLength(1);
  });

  test('is asked for what follows from other surroundings, once for each [9.26]', async () => {
    const { hub } = await pair();
    const seen = () => stage.observed.filter(({ instanceId }) => instanceId === hub.instanceId);
    await stage.until(() => seen().length === 1);
    const underlay = [{ kind: 'network' as const, at: '100.64.0.0/16', interface: 'wlan0' }];
    hub.node.observe({ underlay });
    await stage.until(() => seen().length === 2);
    expect(seen()[1]).toMatchObject({ observedAddress: '127.0.0.1', publiclyReachable: false });
    hub.node.observe({ underlay });
    hub.node.observe({ underlay: [] });
    await stage.until(async () => (await stage.instance(hub.instanceId)).underlay.length === 0);
    await stage.until(() => seen().length === 3);
  });

  test('withdraws the unused keys that it does not have any more', async () => {
    const [old, kept] = [randomKey(), randomKey()];
    const { node, credentials, instanceId } = await stage.join({ keys: [old, kept] });
    await node.connect();
    await stage.until(async () => (await stage.keys(instanceId)).length === 2);
    node.drop();
    const again = stage.nodeWith(credentials, { keys: [kept] });
    await again.connect();
    await stage.until(async () => (await stage.keys(instanceId)).length === 1);
    expect((await stage.keys(instanceId))[0]?.public_key).toBe(kept);
  });
});

test('keys beyond the limit are not stored', async () => {
  const { node, instanceId } = await stage.join({ keys: Array.from({ length: 60 }, randomKey) });
  await node.connect();
  await stage.until(async () => (await stage.keys(instanceId)).length === 60);
  const last = randomKey();
  node.say({ kind: 'keys', unused_keys: [...Array.from({ length: 10 }, randomKey), last] });
  await stage.until(async () => (await stage.keys(instanceId)).length === 64);
});

test('a key of another machine cannot be published', async () => {
  const key = randomKey();
  const [first, second] = [await stage.join({ keys: [key] }), await stage.join({ keys: [key, randomKey()] })];
  await first.node.connect();
  await stage.until(async () => (await stage.keys(first.instanceId)).length === 1);
  await second.node.connect();
  await stage.until(async () => (await stage.instance(second.instanceId)).status === 'running');
  expect(await stage.keys(second.instanceId)).toHaveLength(1);
  expect((await stage.keys(first.instanceId)).map((row) => row.public_key)).toEqual([key]);
});

test('parts of a machine, a failure to apply and its end are shown', async () => {
  const { hub } = await pair();
  const at = new Date().toISOString();
  hub.node.observe({ subsystems: [{ name: 'wireguard', state: 'ok', message: '', observed_at: at }] });
  hub.node.say({ kind: 'failed', revision: 7, message: 'no such device' });
  const subsystem = async (name: string) =>
    (await stage.instance(hub.instanceId)).subsystems.find((row) => row.name === name);
  await stage.until(async () => (await subsystem('apply'))?.state === 'failed');
  expect(await subsystem('apply')).toMatchObject({ message: 'revision 7: no such device' });
  expect(await subsystem('wireguard')).toMatchObject({ state: 'ok' });
  hub.node.say({ kind: 'applied', revision: 7, hash: 'a'.repeat(32) });
  await stage.until(async () => (await subsystem('apply'))?.state === 'ok');
});

test('what was repaired is an event, and a flood of them is not', async () => {
  const { hub } = await pair();
  const mine = async () =>
    (await stage.events('sdwan.drift.repaired')).filter((event) => event.actor.id === hub.instanceId);
  const drift = [{ at: new Date().toISOString(), key: 'peer/wg-n1/x', detail: 'was removed by hand' }];
  hub.node.observe({ drift });
  await stage.until(async () => (await mine()).length === 1);
  expect((await mine())[0]?.payload).toMatchObject({ repaired: drift, repaired_count: 1 });
  for (let i = 0; i < 40; i++) hub.node.observe({ drift });
  await stage.until(async () => (await mine()).length === 20);
});

test('a terminated machine is in no metric of what was repaired any more', async () => {
  const machine = await stage.join();
  await machine.node.connect();
  const counted = () =>
    [...stage.delivery.figures().drift()].find(({ instanceId }) => instanceId === machine.instanceId);
  const drift = [{ at: new Date().toISOString(), key: 'peer/wg-n1/x', detail: 'was removed by hand' }];
  machine.node.observe({ drift: [...drift, ...drift] });
  await stage.until(() => counted()?.count === 2);
  await stage.terminate(machine.instanceId, []);
  await stage.until(() => counted() === undefined);
});

test('the hub in use is the one that the route goes through', async () => {
  const { network, spoke, hubPeer } = await pair();
  expect(stage.delivery.hubInUse(spoke.instanceId, network.id)).toBeNull();
  spoke.node.observe({ routes: [{ destination: network.prefix, via: `wg-${network.handle}-1` }] });
  await stage.until(() => stage.delivery.hubInUse(spoke.instanceId, network.id) === hubPeer.id);
  // Of a machine that has said as much as is kept, what is known goes on being reported.
  const via = (slot: number) => `wg-${network.handle}-${slot}`;
  const others = Array.from({ length: agentRoutesPerFrameMax }, (_, i) => ({
    destination: `fd00:${i.toString(16)}::/64`,
    via: 'wg-other',
  }));
  spoke.node.observe({ routes: others });
  spoke.node.observe({ routes: [{ destination: network.prefix, via: via(2) }] });
  await stage.until(() => stage.delivery.hubInUse(spoke.instanceId, network.id) === null);
  spoke.node.observe({ routes: [{ destination: network.prefix, via: via(1) }] });
  await stage.until(() => stage.delivery.hubInUse(spoke.instanceId, network.id) === hubPeer.id);
  spoke.node.observe({ routes: [{ destination: network.prefix, via: null }] });
  await stage.until(() => stage.delivery.hubInUse(spoke.instanceId, network.id) === null);
});

describe('two platform processes over one database', () => {
  test('deliver each other’s changes, also without an announcement, and let a machine move between them', async () => {
    const network = await stage.network();
    const there = await stage.neighbour();
    const moving: JoinedNode = await stage.join();
    await stage.attach(network, moving.instanceId, { hubSlot: 1 });
    const node = there.nodeFor(moving);
    await node.connect();
    await stage.until(() => node.received.documents === 1);
    await stage.attach(network, (await stage.join()).instanceId);
    await stage.until(() => stage.expected(moving.instanceId).size === moving.holding.entries.size);
    expect(moving.holding.entries).toEqual(stage.expected(moving.instanceId));
    await there.close();
    await stage.until(() => !node.connected);
    expect(node.ended?.code).toBe(1001);
  });
});
