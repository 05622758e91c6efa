// Who is there, over a real database and real streams of simulated machines: killed, suspended, cut off from their hubs,
// many at once, and over a restart of the platform.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JoinedNode, Stage } from '../testing/stage.fixture.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

interface Member extends JoinedNode {
  readonly peer: PeerModel;
}

interface Overlay {
  readonly network: NetworkModel;
  readonly hub: Member;
  readonly spokes: readonly Member[];
}

/** A hub that hears all spokes, and spokes that it answers. */
async function overlay(spokesCount: number): Promise<Overlay> {
  const network = await stage.network();
  const join = async (place: { hubSlot?: number } = {}): Promise<Member> => {
    const joined = await stage.join();
    const peer = await stage.attach(network, joined.instanceId, place);
    await joined.node.connect();
    return { ...joined, peer };
  };
  const hub = await join({ hubSlot: 1 });
  const spokes: Member[] = [];
  for (let i = 0; i < spokesCount; i++) spokes.push(await join());
  for (const { node, instanceId } of [hub, ...spokes]) {
    await stage.until(() => stage.inSync(instanceId) && stage.delivery.nodeDelivery(instanceId).connected);
    if (instanceId !== hub.instanceId) says(node, network, hub, 'answers');
  }
  hears(hub, spokes, true);
  for (const { peer } of [hub, ...spokes]) await stage.until(() => reachable(peer) === true);
  return { network, hub, spokes };
}

function says(
  node: JoinedNode['node'],
  network: NetworkModel,
  hub: Member,
  state: 'answers' | 'silent' | 'forwards_nothing',
): void {
  node.probed({ paths: [{ network_id: network.id, peer_id: hub.peer.id, state, for_ms: 450 }] });
}

function hears(hub: Member, spokes: readonly Member[], heard: boolean): void {
  hub.node.probed({ heard: spokes.map(({ peer }) => ({ address: peer.hostAddress, heard, for_ms: 450 })) });
}

function reachable(peer: PeerModel): boolean | null {
  return stage.delivery.peerPresence(peer.id).reachable;
}

function code(peer: PeerModel): string | undefined {
  return stage.delivery.peerPresence(peer.id).because?.code;
}

async function about(kind: string, peer: PeerModel) {
  const events = await stage.events(kind);
  return events.filter((event) => event.payload['peer_id'] === peer.id);
}

async function aboutMachine(kind: string, instanceId: string) {
  const events = await stage.events(kind);
  return events.filter((event) => event.payload['instance_id'] === instanceId);
}

describe('a machine', () => {
  test('that is killed is offline at once, with events for it and its peer, and back again [9.14]', async () => {
    const { hub, spokes } = await overlay(2);
    const [spoke] = spokes as [Member];
    spoke.node.drop();
    hears(hub, [spoke], false);
    await stage.until(() => !stage.delivery.nodeDelivery(spoke.instanceId).connected);
    await stage.until(() => code(spoke.peer) === 'offline');
    const shown = stage.delivery.instancePresence(spoke.instanceId);
    expect(shown.offlineSinceMs).toBeGreaterThan(Date.now() - 60_000);
    await stage.until(
      async () => (await aboutMachine('system.instance.offline', spoke.instanceId)).length === 1,
    );
    await stage.until(async () => (await about('sdwan.peer.unreachable', spoke.peer)).length === 1);
    const [reported] = await about('sdwan.peer.unreachable', spoke.peer);
    expect(reported?.payload).toMatchObject({ hostname: 'machine', because: { code: 'offline' } });
    expect((await stage.instance(spoke.instanceId)).offline_since).not.toBeNull();
    await spoke.node.connect();
    hears(hub, [spoke], true);
    await stage.until(
      async () => (await aboutMachine('system.instance.online', spoke.instanceId)).length === 1,
    );
    await stage.until(async () => (await about('sdwan.peer.reachable', spoke.peer)).length === 1);
    expect((await stage.instance(spoke.instanceId)).offline_since).toBeNull();
    expect(reachable(hub.peer)).toBe(true);
  });

  test('that is suspended is offline although its connection is open [9.14]', async () => {
    const { spokes } = await overlay(2);
    const [spoke] = spokes as [Member];
    spoke.node.isSuspended = true;
    await stage.until(() => !stage.delivery.nodeDelivery(spoke.instanceId).connected);
    expect(spoke.node.connected).toBe(true);
    await stage.until(
      async () => (await aboutMachine('system.instance.offline', spoke.instanceId)).length === 1,
    );
    spoke.node.isSuspended = false;
    await stage.until(() => stage.delivery.nodeDelivery(spoke.instanceId).connected);
    await stage.until(
      async () => (await aboutMachine('system.instance.online', spoke.instanceId)).length === 1,
    );
  });

  test('whose agent comes back within a moment is no event [9.14]', async () => {
    const { spokes } = await overlay(2);
    const [one, other] = spokes as [Member, Member];
    one.node.drop();
    await stage.until(() => !stage.delivery.nodeDelivery(one.instanceId).connected);
    await one.node.connect();
    await stage.until(() => stage.delivery.nodeDelivery(one.instanceId).connected);
    other.node.drop();
    await stage.until(
      async () => (await aboutMachine('system.instance.offline', other.instanceId)).length === 1,
    );
    expect(await aboutMachine('system.instance.offline', one.instanceId)).toEqual([]);
  });

  test('that was only enrolled is neither online nor offline [9.14]', async () => {
    const { instanceId } = await stage.join();
    expect(stage.delivery.instancePresence(instanceId)).toEqual({
      state: 'unknown',
      offlineSinceMs: null,
      lastHeardMs: null,
      lastHeardBy: null,
    });
  });

  test('that a hub goes on hearing was last heard by that hub, and its peer is reached [9.14]', async () => {
    const { hub, spokes } = await overlay(1);
    const [spoke] = spokes as [Member];
    spoke.node.drop();
    await stage.until(() => !stage.delivery.nodeDelivery(spoke.instanceId).connected);
    // The platform may have heard it later than the hub, until the hub hears it again.
    await expect
      .poll(() => stage.delivery.instancePresence(spoke.instanceId).lastHeardBy)
      .toEqual({ peerId: hub.peer.id, name: 'machine' });
    expect(reachable(spoke.peer)).toBe(true);
  });
});

describe('a peer', () => {
  test('that answers the platform and passes nothing is not reached, and why [9.14] [9.28]', async () => {
    const { network, hub, spokes } = await overlay(2);
    const [spoke] = spokes as [Member];
    hears(hub, [spoke], false);
    await stage.until(() => reachable(spoke.peer) !== true);
    says(spoke.node, network, hub, 'silent');
    await stage.until(() => code(spoke.peer) === 'udp_blocked');
    expect(stage.delivery.nodeDelivery(spoke.instanceId).connected).toBe(true);
    await stage.until(async () => (await about('sdwan.peer.unreachable', spoke.peer)).length === 1);
    expect(reachable(hub.peer)).toBe(true);
  });

  test('whose hub is offline is not reached because of that, and the hub is reported first [9.14] [9.28]', async () => {
    const { network, hub, spokes } = await overlay(2);
    hub.node.drop();
    for (const { node } of spokes) says(node, network, hub, 'silent');
    for (const { peer } of spokes) await stage.until(() => code(peer) === 'hubs_dead');
    expect(code(hub.peer)).toBe('offline');
  });

  test('a hub that answers and forwards nothing is not reached [9.14]', async () => {
    const { network, hub, spokes } = await overlay(2);
    for (const { node } of spokes) says(node, network, hub, 'forwards_nothing');
    await stage.until(() => code(hub.peer) === 'forwards_nothing');
  });

  test('is not spoken of by those who do not meet it [9.14]', async () => {
    const { network, hub, spokes } = await overlay(2);
    const other = await overlay(1);
    const [spoke] = spokes as [Member];
    // A spoke is no hub, a hub of another network hears nobody of this one, and a stranger calls no hub of it.
    hears({ ...(spokes[1] as Member) }, [spoke], false);
    hears(other.hub, [spoke], false);
    says((other.spokes[0] as Member).node, network, hub, 'silent');
    hears(other.hub, other.spokes, false);
    await stage.until(() => reachable((other.spokes[0] as Member).peer) !== true);
    expect([reachable(spoke.peer), reachable(hub.peer)]).toEqual([true, true]);
  });
});

test('presence writes no change and reaches no other node [9.14]', async () => {
  const { hub, spokes } = await overlay(3);
  const [spoke] = spokes as [Member];
  const before = stage.delivery.sequenceOf(stage.accountId);
  const frames = [hub, ...spokes.slice(1)].map(({ node }) => node.received.frames);
  spoke.node.drop();
  hears(hub, [spoke], false);
  await stage.until(async () => (await about('sdwan.peer.unreachable', spoke.peer)).length === 1);
  expect(stage.delivery.sequenceOf(stage.accountId)).toBe(before);
  expect([hub, ...spokes.slice(1)].map(({ node }) => node.received.frames)).toEqual(frames);
});

test('fifty machines that go at once are one event, and not fifty [9.14]', async () => {
  const { hub, spokes } = await overlay(50);
  for (const { node } of spokes) node.drop();
  hears(hub, spokes, false);
  const counted = async (kind: string) => {
    const events = await stage.events(kind);
    return events.reduce((sum, event) => sum + Number(event.payload['count'] ?? 1), 0);
  };
  await stage.until(async () => (await counted('system.instance.offline')) === 50);
  await stage.until(async () => (await counted('sdwan.peer.unreachable')) === 50);
  expect((await stage.events('system.instance.offline')).length).toBeLessThan(25);
  expect((await stage.events('sdwan.peer.unreachable')).length).toBeLessThan(25);
});

test('a restart of the platform is no event for machines that come back, and reports nothing twice [9.14]', async () => {
  const { hub, spokes } = await overlay(3);
  const [lost, ...others] = spokes as [Member, ...Member[]];
  lost.node.drop();
  hears(hub, [lost], false);
  await stage.until(async () => (await about('sdwan.peer.unreachable', lost.peer)).length === 1);
  await stage.until(
    async () => (await aboutMachine('system.instance.offline', lost.instanceId)).length === 1,
  );
  await stage.kill();
  await stage.start();
  expect(stage.delivery.instancePresence(others[0]?.instanceId ?? '').state).toBe('unknown');
  expect(stage.delivery.instancePresence(lost.instanceId).state).toBe('offline');
  for (const { node } of [hub, ...others]) await node.connect();
  hears(hub, others, true);
  hears(hub, [lost], false);
  for (const { peer } of others) await stage.until(() => reachable(peer) === true);
  await stage.until(() => reachable(lost.peer) === false);
  await lost.node.connect();
  await stage.until(async () => (await aboutMachine('system.instance.online', lost.instanceId)).length === 1);
  expect(await stage.events('system.instance.offline')).toHaveLength(1);
  expect(await stage.events('system.instance.online')).toHaveLength(1);
  expect(await stage.events('sdwan.peer.unreachable')).toHaveLength(1);
});

describe('with two processes of the platform', () => {
  test('each shows machines on streams of the other, one of them reports, and a process that ends is no event [9.14]', async () => {
    const { hub, spokes } = await overlay(2);
    const [mover, stayer] = spokes as [Member, Member];
    const neighbour = await stage.neighbour(stage.bus);
    const both = [stage.delivery, neighbour.delivery];
    const isConnected = ({ instanceId }: Member) =>
      both.map((delivery) => delivery.nodeDelivery(instanceId).connected);
    for (const member of [hub, mover, stayer]) await stage.until(() => isConnected(member).every(Boolean));
    await stage.until(() => neighbour.delivery.peerPresence(stayer.peer.id).reachable === true);
    // Its stream is at the other process from here on, which says so to the first.
    mover.node.drop();
    const moved = neighbour.nodeFor(mover);
    await moved.connect();
    await stage.until(() => isConnected(mover).every(Boolean));
    stayer.node.drop();
    hears(hub, [stayer], false);
    for (const delivery of both) {
      await stage.until(() => delivery.peerPresence(stayer.peer.id).because?.code === 'offline');
    }
    await stage.until(async () => (await about('sdwan.peer.unreachable', stayer.peer)).length > 0);
    await stage.until(
      async () => (await aboutMachine('system.instance.offline', stayer.instanceId)).length > 0,
    );
    await neighbour.close();
    await stage.until(() => !stage.delivery.nodeDelivery(mover.instanceId).connected);
    expect(stage.delivery.instancePresence(mover.instanceId).state).toBe('unknown');
    await mover.node.connect();
    await stage.until(() => stage.delivery.nodeDelivery(mover.instanceId).connected);
    expect(await about('sdwan.peer.unreachable', stayer.peer)).toHaveLength(1);
    expect(await aboutMachine('system.instance.offline', stayer.instanceId)).toHaveLength(1);
    expect(await aboutMachine('system.instance.offline', mover.instanceId)).toEqual([]);
  });
});
