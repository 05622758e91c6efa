// Virtual IPs on a whole platform with simulated machines: who holds one, when it moves by itself and when it waits for
// people, and that nobody gets it before the one who had it has given it up.
import { ProductError } from '@powernode/core/errors';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fleet, until } from './testing/fleet.fixture.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.open();
});
afterAll(() => fleet.close());
beforeEach(() => fleet.policy(null));

async function failure(work: Promise<unknown>): Promise<ProductError> {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof ProductError) return thrown;
  throw new Error(`expected a ProductError, not ${String(thrown)}`);
}

describe('a virtual IP', () => {
  test('is its primary holder’s once that has applied it, and hubs carry it there', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    const virtualIp = await fleet.heldBy(id, first);
    expect(virtualIp).toMatchObject({ epoch: 1, state_detail: null });
    expect(virtualIp.transitions).toMatchObject([
      { reason: 'created', to_peer_id: first.peerId, from_peer_id: null, took_ms: expect.any(Number) },
    ]);
    expect(first.entry(id)?.lease).toMatchObject({ enough: 2 });
    expect(second.entry(id)).toBeUndefined();
    for (const hub of hubs) {
      const carried = [...hub.holding.entries.values()].filter(
        (entry) => entry.kind === 'peer' && entry.allowed_ips.includes(`${virtualIp.address}/128`),
      );
      expect(carried).toMatchObject([{ peer_id: first.peerId }]);
      const watched = [...hub.holding.entries.values()].filter((entry) => entry.kind === 'watch');
      expect(watched.map((entry) => entry.peer_id).sort()).toEqual(peers.map(({ peerId }) => peerId).sort());
    }
  });

  test('moves by itself when the policy says so, once hubs and the platform have lost its holder', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.die();
    for (const hub of hubs) hub.hears(first, false);
    const virtualIp = await fleet.heldBy(id, second);
    expect(virtualIp.transitions[0]).toMatchObject({
      reason: 'holder_dead',
      from_peer_id: first.peerId,
      to_peer_id: second.peerId,
      actor: 'platform',
      took_ms: expect.any(Number),
    });
    expect(virtualIp.transitions[0]?.['detail']).toContain(hubs[0]?.hostname);
    const kinds = (await fleet.events('sdwan.virtual_ip')).map((event) => event['kind']);
    expect(kinds.slice(0, 2)).toEqual(['sdwan.virtual_ip.failed_over', 'sdwan.virtual_ip.failing_over']);
    // Back again, it asks and is told that it is not its own any more.
    await first.connect();
    for (const hub of hubs) hub.hears(first, true);
    await until(() => first.entry(id) === undefined);
    expect((await fleet.get(id)).current_holder_peer_id).toBe(second.peerId);
  });

  test('stays while one hub of two hears its holder, and when hubs cannot say', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first] = peers as [(typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    hubs[0]?.hears(first, false);
    await first.answeredFor(id, 1000);
    for (const hub of hubs) hub.die();
    await first.answeredFor(id, 1000);
    expect(await fleet.get(id)).toMatchObject({ current_holder_peer_id: first.peerId, epoch: 1 });
  });

  test('is asked back from a holder that is online and that no hub hears', async () => {
    await fleet.policy('notify_and_proceed');
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.node.applying = false;
    for (const hub of hubs) hub.hears(first, false);
    const moving = await fleet.stateOf(id, 'failing_over');
    expect(moving.current_holder_peer_id).toBe(null);
    expect(second.entry(id)).toBeUndefined();
    first.node.applying = true;
    const moved = await fleet.heldBy(id, second);
    expect(moved.epoch).toBe(3);
    const told = await fleet.events('sdwan.virtual_ip.failing_over');
    expect(told[0]?.['payload']).toMatchObject({ reason: 'holder_dead' });
  });

  test('moves with its single hub as the only witness', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers } = await fleet.network({ hubs: 1, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.die();
    hubs[0]?.hears(first, false);
    await fleet.heldBy(id, second);
  });

  test('with a single candidate has no lease, and says that it moves nowhere', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 1 });
    const [only] = peers as [(typeof peers)[0]];
    const id = await fleet.virtualIp([only]);
    await fleet.stateOf(id, 'active');
    expect(only.entry(id)?.lease).toBe(null);
    const answer = await fleet.call('failoverVirtualIp', { virtual_ip_id: id, approve: true });
    expect(answer).toMatchObject({ resolved: false, new_holder: only.peerId, previous_holder: only.peerId });
    expect(answer['explanation']).toContain('single candidate');
  });

  test('goes back to the better candidate only when that is wanted', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers, { preempt: true });
    await fleet.heldBy(id, first);
    first.die();
    for (const hub of hubs) hub.hears(first, false);
    await fleet.heldBy(id, second);
    await first.connect();
    for (const hub of hubs) hub.hears(first, true);
    const back = await fleet.heldBy(id, first);
    expect(back.transitions[0]).toMatchObject({ reason: 'preempted', from_peer_id: second.peerId });
  });

  test('does not move twice within its hold-down', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers, { hold_down_seconds: 3600 });
    await fleet.heldBy(id, first);
    first.die();
    for (const hub of hubs) hub.hears(first, false);
    await fleet.heldBy(id, second);
    second.die();
    for (const hub of hubs) hub.hears(second, false);
    const resting = await fleet.stateOf(id, 'error');
    expect(resting.state_detail).toContain('3600 seconds');
    expect(resting.current_holder_peer_id).toBe(second.peerId);
  });
});

describe('when a person has to decide', () => {
  test('nothing moves until the approval, and then it moves at once', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.die();
    for (const hub of hubs) hub.hears(first, false);
    const waiting = await fleet.stateOf(id, 'error');
    await until(async () => /waits for the approval/.test((await fleet.get(id)).state_detail ?? ''));
    expect(waiting.current_holder_peer_id).toBe(first.peerId);
    const [approval, ...more] = await fleet.approvals('pending');
    expect(more).toEqual([]);
    expect(approval).toMatchObject({
      category: 'system.sdwan_vip_failover',
      requested_by: { id: null, name: 'platform' },
      input: { virtual_ip_id: id, target_peer_id: second.peerId },
    });
    expect(approval?.['summary']).toContain(first.hostname);
    expect(approval?.['plan']).toMatchObject({ evidence: expect.stringContaining(hubs[0]?.hostname ?? '') });
    const nodes = (approval?.['plan'] as { nodes?: unknown[] } | undefined)?.nodes ?? [];
    expect(nodes.length).toBeGreaterThan(1);
    // Another word of a hub asks nobody again.
    hubs[0]?.hears(first, true);
    hubs[0]?.hears(first, false);
    await fleet.call('decideApproval', { approval_id: approval?.['id'], decision: 'approve' });
    const moved = await fleet.heldBy(id, second);
    expect(moved.transitions[0]).toMatchObject({ reason: 'by_hand', to_peer_id: second.peerId });
    expect(await fleet.approvals('pending')).toEqual([]);
  });

  test('the request is withdrawn when the holder is well again, and says why', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first] = peers as [(typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.holds = false;
    for (const hub of hubs) hub.hears(first, false);
    await until(async () => (await fleet.approvals('pending')).length === 1);
    first.holds = true;
    for (const hub of hubs) hub.hears(first, true);
    await until(async () => (await fleet.approvals('pending')).length === 0);
    const [withdrawn] = await fleet.approvals('rejected');
    expect(withdrawn).toMatchObject({ decided_by: { id: null, name: 'platform' } });
    expect(withdrawn?.['reason']).toContain('well');
    await fleet.heldBy(id, first);
    expect((await fleet.get(id)).epoch).toBe(1);
  });

  test('a request that was refused is not repeated for the same target', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first] = peers as [(typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.die();
    for (const hub of hubs) hub.hears(first, false);
    await until(async () => (await fleet.approvals('pending')).length === 1);
    const [approval] = await fleet.approvals('pending');
    await fleet.call('decideApproval', { approval_id: approval?.['id'], decision: 'reject' });
    await until(async () => /was not granted/.test((await fleet.get(id)).state_detail ?? ''));
    hubs[0]?.hears(first, true);
    hubs[0]?.hears(first, false);
    await until(async () => /was not granted/.test((await fleet.get(id)).state_detail ?? ''));
    expect(await fleet.approvals('pending')).toEqual([]);
    expect((await fleet.get(id)).current_holder_peer_id).toBe(first.peerId);
  });

  test('a policy that blocks it leaves it where it is', async () => {
    await fleet.policy('blocked');
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.die();
    for (const hub of hubs) hub.hears(first, false);
    const blocked = await fleet.stateOf(id, 'error');
    expect(blocked.state_detail).toContain('blocked');
    // Told otherwise, it goes on from there.
    await fleet.policy('auto_approve');
    await fleet.heldBy(id, second);
  });

  test('the policy of what the sensor asks for is one like any other', async () => {
    const { policies } = await fleet.call('listPolicies', {});
    expect(policies).toContainEqual(
      expect.objectContaining({
        category: 'system.sdwan_vip_failover',
        mode: 'require_approval',
        default_mode: 'require_approval',
        actions: [],
      }),
    );
  });
});

describe('by hand', () => {
  test('it goes to the target after its holder has given it up, and not before', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second, third] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    const dry = await fleet.call('failoverVirtualIp', {
      virtual_ip_id: id,
      target_peer_id: third.peerId,
      dry_run: true,
    });
    expect(dry).toMatchObject({ resolved: true, dry_run: true, new_holder: third.peerId });
    expect(dry['candidates']).toMatchObject([
      { peer_id: first.peerId, hostname: first.hostname },
      { peer_id: second.peerId },
      { peer_id: third.peerId },
    ]);
    expect((await fleet.get(id)).epoch).toBe(1);
    first.node.applying = false;
    const answer = await fleet.approved('failoverVirtualIp', {
      virtual_ip_id: id,
      target_peer_id: third.peerId,
    });
    expect(answer).toMatchObject({ resolved: true, dry_run: false, previous_holder: first.peerId });
    await until(() => first.entry(id) === undefined);
    expect(await fleet.get(id)).toMatchObject({ state: 'failing_over', current_holder_peer_id: null });
    expect(third.entry(id)).toBeUndefined();
    first.node.applying = true;
    const moved = await fleet.heldBy(id, third);
    expect(moved.transitions[0]).toMatchObject({ reason: 'by_hand', from_peer_id: first.peerId });
    expect(second.entry(id)).toBeUndefined();
  });

  test('without a target it goes to the best candidate; a target that cannot hold it is refused', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second, third] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    for (const hub of hubs) hub.hears(second, false);
    second.die();
    await until(async () => {
      const { candidates } = await fleet.call('failoverVirtualIp', { virtual_ip_id: id, dry_run: true });
      return (candidates as unknown as { score: number }[])[1]?.score === 0;
    });
    const refused = await failure(
      fleet.approved('failoverVirtualIp', { virtual_ip_id: id, target_peer_id: second.peerId }),
    );
    expect(refused.code).toBe('conflict');
    expect(refused.detail).toContain('its agent is not connected');
    const outsider = await failure(
      fleet.approved('failoverVirtualIp', { virtual_ip_id: id, target_peer_id: hubs[0]?.peerId }),
    );
    expect(outsider.detail).toContain('not one of its candidates');
    await fleet.approved('failoverVirtualIp', { virtual_ip_id: id });
    await fleet.heldBy(id, third);
    const again = await fleet.approved('failoverVirtualIp', {
      virtual_ip_id: id,
      target_peer_id: third.peerId,
    });
    expect(again).toMatchObject({ resolved: false, new_holder: third.peerId });
  });
});

describe('what is done with machines', () => {
  test('a holder that is detached leaves it to the next one', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    await fleet.approved('detachPeer', { peer_id: first.peerId });
    const moved = await fleet.heldBy(id, second);
    expect(moved).toMatchObject({ primary_holder_peer_id: second.peerId, failover_holder_peer_ids: [] });
    expect(moved.transitions[0]).toMatchObject({ reason: 'holder_gone' });
  });

  test('a holder that is terminated leaves it as soon as hubs have shut it out', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    first.die();
    await fleet.approved('terminateInstance', { instance_id: first.instanceId });
    await fleet.heldBy(id, second);
  });

  test('the last candidate that leaves leaves it to nobody', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 1 });
    const [only] = peers as [(typeof peers)[0]];
    const id = await fleet.virtualIp([only]);
    await fleet.stateOf(id, 'active');
    await fleet.approved('detachPeer', { peer_id: only.peerId });
    const lost = await fleet.stateOf(id, 'unassigned');
    expect(lost.state_detail).toContain('None of its candidates');
  });

  test('a machine that is drained gives away what it holds, and takes work again afterwards', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp(peers);
    await fleet.heldBy(id, first);
    const drained = await fleet.call('drainInstance', { instance_id: first.instanceId });
    expect(drained['instance']).toMatchObject({ status: 'draining' });
    expect(drained['moves']).toMatchObject([{ object: 'virtual_ip', id }]);
    const moved = await fleet.heldBy(id, second);
    expect(moved.transitions[0]).toMatchObject({ reason: 'drained' });
    const hub = await fleet.call('drainInstance', { instance_id: hubs[0]?.instanceId });
    expect(hub['moves']).toMatchObject([{ object: 'hub', id: hubs[0]?.peerId }]);
    await until(() => firstRoute(second) === 1);
    await fleet.call('drainInstance', { instance_id: hubs[0]?.instanceId, drain: false });
    const back = await fleet.call('drainInstance', { instance_id: first.instanceId, drain: false });
    expect(back['instance']).toMatchObject({ status: 'running' });
    expect(await fleet.call('drainInstance', { instance_id: first.instanceId, drain: false })).toMatchObject({
      moves: [],
    });

    function firstRoute(agent: (typeof peers)[0]): number | undefined {
      const routes = [...agent.holding.entries.values()].filter(
        (entry) => entry.kind === 'route' && entry.via.length === 2,
      );
      const slots = routes.map((entry) => (entry.kind === 'route' ? entry.via.at(-1)?.slice(-1) : ''));
      return slots.every((slot) => slot === '1') ? 1 : 2;
    }
  });
});

describe('its row', () => {
  test('takes an address of one’s own, and refuses one that is taken or cannot be', async () => {
    const { peers } = await fleet.network({ hubs: 1, peers: 1 });
    const [only] = peers as [(typeof peers)[0]];
    const { network } = await fleet.call('getNetwork', { network_id: fleet.networkId });
    const prefix = String(network?.['prefix']).replace('::/64', '');
    const create = (address: string) =>
      fleet.call('createVirtualIp', {
        network_id: fleet.networkId,
        name: fleet.name('vip'),
        primary_holder_peer_id: only.peerId,
        address,
      });
    const { virtual_ip: made } = await create(`${prefix}::53`);
    expect(made).toMatchObject({ address: `${prefix}::53`, ipv4_address: expect.any(String) });
    const reasons = await Promise.all(
      [`${prefix}::53`, `${prefix}::`, `${prefix}:fe00::1`, '2001:db8::1', '192.0.2.1'].map(
        async (address) => (await failure(create(address))).fields[0]?.code,
      ),
    );
    expect(reasons).toEqual(['taken', 'unfit_address', 'unfit_address', 'unfit_address', 'unfit_address']);
    await fleet.approved('deleteVirtualIp', { virtual_ip_id: made?.['id'] });
    expect((await failure(create(`${prefix}::53`))).detail).toContain('rests for 7 days');
  });

  test('is changed by update; a holder that is no candidate any more hands it over', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second, third] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
    const id = await fleet.virtualIp([first, second]);
    await fleet.heldBy(id, first);
    await fleet.call('updateVirtualIp', {
      virtual_ip_id: id,
      primary_holder_peer_id: second.peerId,
      failover_holder_peer_ids: [third.peerId],
    });
    const moved = await fleet.heldBy(id, second);
    expect(moved.transitions[0]).toMatchObject({ reason: 'holder_changed', from_peer_id: first.peerId });
    const stale = await failure(
      fleet.call('updateVirtualIp', { virtual_ip_id: id, name: 'other', if_revision: 1 }),
    );
    expect(stale.code).toBe('revision_conflict');
    const own = await failure(
      fleet.call('updateVirtualIp', { virtual_ip_id: id, failover_holder_peer_ids: [second.peerId] }),
    );
    expect(own.code).toBe('validation_failed');
  });

  test('with anycast is held by all and moves nowhere', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const id = await fleet.virtualIp(peers, { anycast: true });
    await until(() => peers.every((peer) => peer.entry(id) !== undefined));
    // Each of them by either of its keys: hubs have it by one, spokes by the other.
    expect(hubs[0]?.holding.entries.get(`anycast/${id}`)).toMatchObject({ by: [{}, {}, {}, {}] });
    expect(await fleet.get(id)).toMatchObject({ state: 'active', current_holder_peer_id: null });
    const answer = await fleet.approved('failoverVirtualIp', { virtual_ip_id: id });
    expect(answer).toMatchObject({ resolved: false, new_holder: null });
  });
});
