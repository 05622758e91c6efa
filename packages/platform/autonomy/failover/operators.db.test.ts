// What operators do with virtual IPs, and with machines that hold them, on a whole platform with simulated machines.
import { ProductError } from '@powernode/core/errors';
import { virtualIpsPerNodeMax } from '@powernode/core/limits/overlay';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inAccount, inPlatform } from '../../store/tenancy.ts';
import { type Agent, Fleet, until } from './testing/fleet.fixture.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.open();
});
afterAll(() => fleet.close());

async function failure(work: Promise<unknown>): Promise<ProductError> {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof ProductError) return thrown;
  throw new Error(`expected a ProductError, not ${String(thrown)}`);
}

describe('by hand', () => {
  test('it goes to the target after its holder has given it up, and not before', async () => {
    const { peers, id } = await fleet.held({ hubs: 2, peers: 3 });
    const [first, second, third] = peers;
    const dry = await fleet.call('failoverVirtualIp', {
      virtual_ip_id: id,
      target_peer_id: third.peerId,
      dry_run: true,
    });
    expect(dry).toMatchObject({
      resolved: false,
      dry_run: true,
      previous_holder: first.peerId,
      new_holder: third.peerId,
    });
    expect(dry['plan']).toMatchObject({
      fields: [{ path: 'current_holder_peer_id', before: first.peerId, after: third.peerId }],
    });
    // The plan has the node that gets it in the end, not only those that lose it.
    const { nodes } = dry['plan'] as unknown as {
      nodes: { instance_id: string; changes: { op: string; key: string }[] }[];
    };
    const given = nodes.find((node) => node.instance_id === third.instanceId)?.changes;
    expect(given).toContainEqual(expect.objectContaining({ op: 'set', key: `virtual_ip/${id}` }));
    expect(dry['candidates']).toMatchObject([
      { peer_id: first.peerId, hostname: first.hostname },
      { peer_id: second.peerId },
      { peer_id: third.peerId },
    ]);
    expect((await fleet.get(id)).epoch).toBe(1);
    first.node.applying = false;
    const { deferred_operation: asked } = await fleet.call('failoverVirtualIp', { virtual_ip_id: id });
    const { name } = await fleet.get(id);
    expect(asked?.['summary']).toBe(`Move a virtual IP: ${name}`);
    const { revision } = await fleet.get(id);
    const move = { virtual_ip_id: id, target_peer_id: third.peerId };
    await expect(
      fleet.call('failoverVirtualIp', { ...move, if_revision: revision + 1 }),
    ).rejects.toMatchObject({
      code: 'revision_conflict',
    });
    const answer = await fleet.approved('failoverVirtualIp', { ...move, if_revision: revision });
    expect(answer).toMatchObject({ resolved: true, dry_run: false, previous_holder: first.peerId });
    await until(() => first.entry(id) === undefined);
    expect(await fleet.get(id)).toMatchObject({ state: 'failing_over', current_holder_peer_id: null });
    expect(third.entry(id)).toBeUndefined();
    // Whoever asks again, because an answer was lost, changes nothing about it.
    for (const target of [{}, { target_peer_id: third.peerId }]) {
      const again = await fleet.approved('failoverVirtualIp', { virtual_ip_id: id, ...target });
      expect(again).toMatchObject({
        resolved: false,
        previous_holder: first.peerId,
        new_holder: third.peerId,
        explanation: 'It is moving there already.',
      });
    }
    first.node.applying = true;
    const moved = await fleet.heldBy(id, third);
    expect(moved.transitions[0]).toMatchObject({ reason: 'by_hand', from_peer_id: first.peerId });
    expect(second.entry(id)).toBeUndefined();
  });

  test('without a target it does not go back to the one that is giving it up', async () => {
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 3 });
    const [first, second, third] = peers;
    first.node.applying = false;
    await fleet.approved('failoverVirtualIp', { virtual_ip_id: id, target_peer_id: second.peerId });
    await until(() => first.entry(id) === undefined);
    // Where it was going cannot have it any more, and of the others the first one would be the better.
    second.die();
    hubs[0]?.hears(third, false);
    await until(async () => {
      const [of1, of2, of3] = await scores();
      return of2 === 0 && (of1 ?? 0) > (of3 ?? 0);
    });
    const other = await fleet.approved('failoverVirtualIp', { virtual_ip_id: id });
    expect(other).toMatchObject({ resolved: true, new_holder: third.peerId });
    first.node.applying = true;
    await fleet.heldBy(id, third);

    async function scores(): Promise<number[]> {
      const { candidates } = await fleet.call('failoverVirtualIp', { virtual_ip_id: id, dry_run: true });
      return (candidates as unknown as { score: number }[]).map(({ score }) => score);
    }
  });

  test('without a target it goes to the best candidate; a target that cannot hold it is refused', async () => {
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 3 });
    const [, second, third] = peers;
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
    const { peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    await fleet.approved('detachPeer', { peer_id: first.peerId });
    const moved = await fleet.heldBy(id, second);
    expect(moved).toMatchObject({ primary_holder_peer_id: second.peerId, failover_holder_peer_ids: [] });
    expect(moved.transitions[0]).toMatchObject({ reason: 'holder_gone' });
  });

  test('a holder that is terminated leaves it as soon as hubs have shut it out', async () => {
    const { peers, id } = await fleet.held({ hubs: 2, peers: 3 });
    const [first, second] = peers;
    first.die();
    await fleet.approved('terminateInstance', { instance_id: first.instanceId });
    await fleet.heldBy(id, second);
  });

  test('the last candidate that leaves leaves it to nobody', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 1 });
    const [only] = peers;
    const id = await fleet.virtualIp([only]);
    await fleet.stateOf(id, 'active');
    await fleet.approved('detachPeer', { peer_id: only.peerId });
    const lost = await fleet.stateOf(id, 'unassigned');
    expect(lost.state_detail).toContain('None of its candidates');
  });

  test('a machine that is drained gives away what it holds, and takes work again afterwards', async () => {
    const { hubs, peers, id } = await fleet.held({ hubs: 2, peers: 2 });
    const [first, second] = peers;
    const stale = fleet.call('drainInstance', { instance_id: first.instanceId, if_revision: 0 });
    expect((await failure(stale)).code).toBe('revision_conflict');
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

    function firstRoute(agent: Agent): number | undefined {
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
    const [only] = peers;
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
    // What is made again may have its address back; that of a peer is quarantined.
    expect((await create(`${prefix}::53`))['virtual_ip']).toMatchObject({ address: `${prefix}::53` });
    const { peer } = await fleet.call('getPeer', { peer_id: only.peerId });
    await fleet.approved('detachPeer', { peer_id: only.peerId });
    const left = await fleet.attach({ hub: false });
    const resting = await failure(
      fleet.call('createVirtualIp', {
        network_id: fleet.networkId,
        name: fleet.name('vip'),
        primary_holder_peer_id: left.peerId,
        address: peer?.['host_address'],
      }),
    );
    expect(resting.detail).toContain('not assigned again for 7 days');
  });

  test('has holders of its own network only', async () => {
    const { peers } = await fleet.network({ hubs: 1, peers: 1 });
    const elsewhere = peers[0].peerId;
    await fleet.network({ hubs: 1, peers: 1 });
    const refused = await failure(
      fleet.call('createVirtualIp', {
        network_id: fleet.networkId,
        name: fleet.name('vip'),
        primary_holder_peer_id: elsewhere,
      }),
    );
    expect(refused).toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'primary_holder_peer_id', code: 'other_network' }],
    });
  });

  test('can be changed on a machine that could hold as many as it may', async () => {
    const { peers } = await fleet.network({ hubs: 1, peers: 2 });
    const [first, second] = peers;
    const id = await fleet.virtualIp([first, second]);
    await copies(id, virtualIpsPerNodeMax - 1);
    const { virtual_ip: changed } = await fleet.call('updateVirtualIp', {
      virtual_ip_id: id,
      primary_holder_peer_id: second.peerId,
      failover_holder_peer_ids: [first.peerId],
    });
    expect(changed).toMatchObject({ primary_holder_peer_id: second.peerId });
    expect((await failure(fleet.virtualIp([first]))).code).toBe('limit_reached');

    async function copies(of: string, count: number): Promise<void> {
      await inPlatform(fleet.platform.store, (trx) =>
        sql`
          insert into virtual_ips (id, account_id, network_id, name, address, anycast, primary_holder_peer_id,
            failover_holder_peer_ids, preempt, hold_down_seconds, epoch, state)
          select gen_random_uuid(), account_id, network_id, name || ' ' || n, address || n, anycast,
            primary_holder_peer_id, failover_holder_peer_ids, preempt, hold_down_seconds, 1, 'unassigned'
          from virtual_ips, generate_series(1, ${count}::int) as n
          where id = ${of}
        `.execute(trx),
      );
    }
  });

  test('is changed by update; a holder that is no candidate any more hands it over', async () => {
    const { peers } = await fleet.network({ hubs: 2, peers: 3 });
    const [first, second, third] = peers;
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

  test('is read while somebody is changing it', async () => {
    const { id } = await fleet.held({ hubs: 1, peers: 1 });
    const read = await inAccount(fleet.platform.store, fleet.platform.admin.accountId, async (trx) => {
      await trx.selectFrom('virtual_ips').select('id').where('id', '=', id).forUpdate().execute();
      return (await fleet.get(id)).id;
    });
    expect(read).toBe(id);
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
