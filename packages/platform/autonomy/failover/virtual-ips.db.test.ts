// Virtual IPs on a whole platform with simulated machines: who holds one, when it moves by itself and when it waits for
// people, and that nobody gets it before the one who had it has given it up.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Agent, Fleet, until } from './testing/fleet.fixture.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.open();
});
afterAll(() => fleet.close());
beforeEach(() => fleet.policy(null));

describe('a virtual IP', () => {
  test('is its primary holder’s once that has applied it, and hubs carry it there', async () => {
    const { hubs, peers } = await fleet.network({ hubs: 2, peers: 2 });
    const [first, second] = peers;
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
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 3 });
    const [first, second] = peers;
    await fleet.loses(hubs, first);
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
    // Back again, it asks, and its lease is refused.
    await first.connect();
    for (const hub of hubs) hub.hears(first, true);
    await until(() => first.entry(id) === undefined);
    expect((await fleet.get(id)).current_holder_peer_id).toBe(second.peerId);
  });

  test('stays while one hub of two hears its holder, and when hubs cannot say', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first] = peers;
    hubs[0]?.hears(first, false);
    await first.answeredFor(id, 1000);
    for (const hub of hubs) hub.die();
    await first.answeredFor(id, 1000);
    expect(await fleet.get(id)).toMatchObject({ current_holder_peer_id: first.peerId, epoch: 1 });
  });

  test('is asked back from a holder that is online and that no hub hears', async () => {
    await fleet.policy('notify_and_proceed');
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    first.node.applying = false;
    await fleet.unheard(hubs, first);
    const moving = await fleet.stateOf(id, 'failing_over');
    expect(moving.current_holder_peer_id).toBe(null);
    expect(second.entry(id)).toBeUndefined();
    first.node.applying = true;
    const moved = await fleet.heldBy(id, second);
    expect(moved.epoch).toBe(3);
    const events = await fleet.events('sdwan.virtual_ip.failing_over');
    expect(events[0]?.['payload']).toMatchObject({ reason: 'holder_dead' });
  });

  test('moves with its single hub as the only witness', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers, id } = await fleet.held({ hubs: 1, peers: 2 });
    const [first, second] = peers;
    await fleet.loses(hubs, first);
    await fleet.heldBy(id, second);
  });

  test('with a single candidate has no lease, and says that it moves nowhere', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 1 });
    const [only] = peers;
    const id = await fleet.virtualIp([only]);
    await fleet.stateOf(id, 'active');
    expect(only.entry(id)?.lease).toBe(null);
    const answer = await fleet.call('failoverVirtualIp', { virtual_ip_id: id, approve: true });
    expect(answer).toMatchObject({ resolved: false, new_holder: only.peerId, previous_holder: only.peerId });
    expect(answer['explanation']).toContain('single candidate');
  });

  test('goes back to the better candidate only when that is wanted', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2, preempt: true });
    const [first, second] = peers;
    await fleet.loses(hubs, first);
    await fleet.heldBy(id, second);
    await first.connect();
    for (const hub of hubs) hub.hears(first, true);
    const back = await fleet.heldBy(id, first);
    expect(back.transitions[0]).toMatchObject({ reason: 'preempted', from_peer_id: second.peerId });
  });

  test('moves when the health check of its holder fails, once to each candidate', async () => {
    await fleet.policy('auto_approve');
    const health_check = { protocol: 'tcp', port: 53 };
    const { peers, id } = await fleet.held({ hubs: 2, peers: 3, health_check });
    const [first, second, third] = peers;
    const checked = (agent: Agent) => agent.holding.entries.has(`health_check/${id}`);
    expect(peers.map(checked)).toEqual([true, false, false]);
    first.finds(id, 'healthy');
    first.finds(id, 'failing');
    const moved = await fleet.heldBy(id, second);
    expect(moved.transitions[0]).toMatchObject({
      reason: 'check_failed',
      from_peer_id: first.peerId,
      detail: `The health check of ${first.hostname} fails: refused. It goes to ${second.hostname}.`,
    });
    expect(moved.holders).toMatchObject([{ peer_id: second.peerId, health: 'unknown' }]);
    await until(() => !checked(first) && checked(second));
    first.finds(id, null);
    second.finds(id, 'failing');
    await fleet.heldBy(id, third);
    third.finds(id, 'failing');
    const stays = await fleet.stateOf(id, 'error');
    expect(stays.state_detail).toContain('its health check failed when it last held it');
    await third.answeredFor(id, 1000);
    expect(await fleet.get(id)).toMatchObject({ current_holder_peer_id: third.peerId, epoch: 5 });
    third.finds(id, 'healthy');
    await fleet.stateOf(id, 'active');
    third.finds(id, 'failing');
    await fleet.heldBy(id, first);
  });

  test('does not move twice within its hold-down', async () => {
    await fleet.policy('auto_approve');
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 3, hold_down_seconds: 3600 });
    const [first, second] = peers;
    await fleet.loses(hubs, first);
    await fleet.heldBy(id, second);
    await fleet.loses(hubs, second);
    const resting = await fleet.stateOf(id, 'error');
    expect(resting.state_detail).toContain('3600 seconds');
    expect(resting.current_holder_peer_id).toBe(second.peerId);
  });
});

describe('when a person has to decide', () => {
  test('nothing moves until the approval, and then it moves at once', async () => {
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    await fleet.loses(hubs, first);
    const waiting = await fleet.stateOf(id, 'error');
    await until(async () => /Waiting for approval/.test((await fleet.get(id)).state_detail ?? ''));
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
    const holders = { before: first.peerId, after: second.peerId };
    expect(approval?.['plan']).toMatchObject({
      fields: [{ path: 'current_holder_peer_id', ...holders }],
      names: { [first.peerId]: first.hostname, [second.peerId]: second.hostname },
    });
    const nodes = (approval?.['plan'] as { nodes?: unknown[] } | undefined)?.nodes ?? [];
    expect(nodes.length).toBeGreaterThan(1);
    // Another report of a hub opens no second request.
    hubs[0]?.hears(first, true);
    hubs[0]?.hears(first, false);
    await fleet.call('decideApproval', { approval_id: approval?.['id'], decision: 'approve' });
    const moved = await fleet.heldBy(id, second);
    expect(moved.transitions[0]).toMatchObject({ reason: 'by_hand', to_peer_id: second.peerId });
    expect(await fleet.approvals('pending')).toEqual([]);
  });

  test('the request is withdrawn when the holder is well again, and says why', async () => {
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first] = peers;
    first.holds = false;
    await fleet.unheard(hubs, first);
    await until(async () => (await fleet.approvals('pending')).length === 1);
    first.holds = true;
    for (const hub of hubs) hub.hears(first, true);
    await until(async () => (await fleet.approvals('pending')).length === 0);
    const [withdrawn] = await fleet.approvals('rejected');
    expect(withdrawn).toMatchObject({ decided_by: { id: null, name: 'platform' } });
    expect(withdrawn?.['reason']).toContain('healthy');
    await fleet.heldBy(id, first);
    expect((await fleet.get(id)).epoch).toBe(1);
  });

  test('a request that was refused is not repeated for the same target', async () => {
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first] = peers;
    await fleet.loses(hubs, first);
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
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    await fleet.loses(hubs, first);
    const blocked = await fleet.stateOf(id, 'error');
    expect(blocked.state_detail).toContain('blocked');
    const silent = async (recovered: boolean) => {
      const input = { kind: 'sdwan.vip_holder_silent', network_id: fleet.networkId, recovered };
      return (await fleet.call('listFindings', input))['findings'];
    };
    const [open, ...more] = (await silent(false)) as unknown as Record<string, unknown>[];
    expect(more).toEqual([]);
    expect(open).toMatchObject({
      severity: 'error',
      object: { type: 'virtual_ip', id, name: blocked.name },
      detail: blocked.state_detail,
      recovered_at: null,
    });
    // After the opposite report it goes on from there.
    await fleet.policy('auto_approve');
    await fleet.heldBy(id, second);
    expect(await silent(false)).toEqual([]);
    expect(await silent(true)).toMatchObject([
      { id: open?.['id'], began_at: open?.['began_at'], recovered_at: expect.any(String) },
    ]);
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
