// Virtual IPs when the platform is started again, and with several processes of it: what is stored is enough, nothing
// moves for lack of evidence, and one process at a time decides, whichever of them nodes are connected to.
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { storedLeadership } from '../../coordination/stored-leadership.ts';
import { openTestStore } from '../../store/test-database.ts';
import { systemClock } from '../../trust/clock.ts';
import { Fleet, until } from './testing/fleet.fixture.ts';

let fleet: Fleet;
afterEach(() => fleet.close());

/** The process ends, and a new one knows what is in the database. */
async function restart(): Promise<void> {
  for (const agent of fleet.agents) agent.die();
  await fleet.process.close();
  fleet.process = await fleet.startProcess();
}

function urlOf(process = fleet.process): string {
  return fleet.nodeUrls.get(process) ?? '';
}

/** Several times as long as a lease lasts. */
const someTimeMs = 1500;

describe('after a start of the platform', () => {
  test('holders go on, and nothing moves before hubs have spoken', async () => {
    fleet = await Fleet.open();
    await fleet.policy('auto_approve');
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    const other = await fleet.virtualIp([second, first]);
    await fleet.heldBy(other, second);
    await restart();
    for (const hub of hubs) hub.forget();
    for (const agent of [...hubs, second]) await agent.connect(urlOf());
    await second.answeredFor(other, someTimeMs);
    expect(await fleet.get(id)).toMatchObject({ epoch: 1, current_holder_peer_id: first.peerId });
    // Its holder was only late.
    await first.connect(urlOf());
    for (const hub of hubs) for (const peer of peers) hub.hears(peer, true);
    await fleet.heldBy(id, first);
    expect((await fleet.get(id)).epoch).toBe(1);
    await fleet.loses(hubs, first);
    await fleet.heldBy(id, second);
  });

  test('a move that was under way goes on, and not before the old holder has given it up', async () => {
    fleet = await Fleet.open();
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    const other = await fleet.virtualIp([second, first]);
    await fleet.heldBy(other, second);
    first.node.applying = false;
    await fleet.approved('failoverVirtualIp', { virtual_ip_id: id });
    await restart();
    for (const agent of [...hubs, first, second]) await agent.connect(urlOf());
    await second.answeredFor(other, someTimeMs);
    expect(await fleet.get(id)).toMatchObject({ state: 'failing_over', current_holder_peer_id: null });
    expect(second.entry(id)).toBeUndefined();
    first.node.applying = true;
    await fleet.heldBy(id, second);
  });

  test('a request that waits is known again', async () => {
    fleet = await Fleet.open();
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    const other = await fleet.virtualIp([second, first]);
    await fleet.heldBy(other, second);
    await fleet.loses(hubs, first);
    await until(async () => (await fleet.approvals('pending')).length === 1);
    await restart();
    for (const agent of [...hubs, second]) await agent.connect(urlOf());
    await second.answeredFor(other, someTimeMs);
    const [waiting, ...more] = await fleet.approvals('pending');
    expect(more).toEqual([]);
    await fleet.call('decideApproval', { approval_id: waiting?.['id'], decision: 'approve' });
    await fleet.heldBy(id, second);
  });
});

describe('with several processes', () => {
  test('the one that leads hears what nodes say to the other one', async () => {
    fleet = await Fleet.open({ isShared: true });
    await fleet.policy('auto_approve');
    const other = await fleet.startProcess();
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second, third] = peers;
    for (const agent of [...hubs, second, third]) {
      agent.die();
      await agent.connect(urlOf(other));
    }
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    await fleet.loses(hubs, first);
    await fleet.heldBy(id, second);
    // The other one takes over, and goes on.
    await fleet.platform.first.close();
    fleet.process = other;
    await fleet.loses(hubs, second);
    const moved = await fleet.heldBy(id, third);
    expect(moved.epoch).toBeGreaterThan(2);
    const moves = moved.transitions.map((one) => one['to_peer_id']);
    expect(moves).toEqual([third.peerId, second.peerId, first.peerId]);
  });

  test('the one that takes over knows what the holder has replaced, and asks no hub that is offline', async () => {
    fleet = await Fleet.open({ isShared: true });
    await fleet.policy('auto_approve');
    const other = await fleet.startProcess();
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    const hub = await fleet.attach({ hub: true });
    for (const agent of [hub, second]) {
      agent.die();
      await agent.connect(urlOf(other));
    }
    for (const peer of peers) hub.hears(peer, true);
    for (const { peerId } of hubs) await fleet.approved('detachPeer', { peer_id: peerId });
    await until(() => first.entry(id)?.lease?.witnesses.length === 1);
    await fleet.heldBy(id, first);
    await until(() => other.delivery.node(hub.instanceId)?.stream?.ready === true);
    // The holder is lost together with the process that it was connected to.
    first.die();
    await fleet.platform.first.close();
    fleet.process = other;
    await fleet.unheard([hub], first);
    const moved = await fleet.heldBy(id, second);
    expect(moved.transitions[0]).toMatchObject({ reason: 'holder_dead', from_peer_id: first.peerId });
  });
});

describe('leading', () => {
  test('is for one process at a time, and one that cannot say that it does has stopped by then', async () => {
    fleet = await Fleet.open();
    const { store, close } = await openTestStore();
    const steady = () => performance.now();
    const log = pino({ level: 'silent' });
    const parts = { store, log };
    const stuck = { now: () => Date.now(), steady, after: () => () => undefined };
    const first = storedLeadership({ ...parts, clock: stuck, processId: 'first' });
    const second = storedLeadership({ ...parts, clock: systemClock, processId: 'second' });
    const third = storedLeadership({ ...parts, clock: systemClock, processId: 'third' });
    first.start(() => undefined);
    await until(() => first.leads());
    const overlaps: boolean[] = [];
    second.start(() => overlaps.push(first.leads() && second.leads()));
    await until(() => second.leads());
    expect(first.leads()).toBe(false);
    expect(overlaps).not.toContain(true);
    third.start(() => undefined);
    await second.close();
    expect(second.leads()).toBe(false);
    await until(() => third.leads());
    await third.close();
    await first.close();
    await close();
  });
});
