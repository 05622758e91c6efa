// Slices of peers: assigned, set, observed, given back; with no route changed by the word of a machine.
import type { Plan } from '@powernode/core/intent/autonomy';
import type { Peer } from '@powernode/core/intent/peer';
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import { podSliceRestMs } from '@powernode/core/limits/overlay';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestPlatform } from '../../../testing/test-platform.ts';
import {
  attach,
  create,
  events,
  fresh,
  freshPods,
  get,
  given,
  openPods,
  refusalOf,
  routed,
  run,
  says,
  set,
  sliceOf,
  update,
} from './pods-scene.fixture.ts';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await openPods();
});
afterAll(() => platform.close());

describe('a slice', () => {
  test('is assigned at attach, one after the other from the end, and routed to by all', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const [one, two] = [await attach(net), await attach(net)];
    const at = (n: number) => pods.replace('0.0/16', `${n}.0/24`);
    expect(sliceOf(one)).toEqual([at(255), 'assigned']);
    expect(sliceOf(two)).toEqual([at(254), 'assigned']);
    expect(one.revision).toBe(1);
    expect(routed(one)).toEqual([`${at(254)} ${two.id}`, `${at(255)} ${one.id}`]);
    expect(given(two, 'lan')).toMatchObject([{ prefix: at(254), local_prefix: at(254), source_nat: false }]);
    expect(given(one, 'pods')).toMatchObject([
      { prefix: pods, interface: `wg-${net.handle}`, next_hops: net.ipv4_prefix },
    ]);
    expect(net.flannel).toEqual({
      flannel_iface: `wg-${net.handle}`,
      flannel_backend: 'host-gw',
      cluster_cidr: pods,
    });
    const { static_routes: routes } = await run<{ static_routes: object[] }>('getRoutingSummary', {
      network_id: net.id,
    });
    expect(routes).toContainEqual({ prefix: at(254), via_peer_id: two.id, source: 'pod_subnet' });
    await update(net, { routing_mode: 'ibgp' });
    const summary = await run<{ bgp_routes: { prefix: string; source: string }[] }>('getRoutingSummary', {
      network_id: net.id,
    });
    const { subnet_advertisements: listed } = await run<{ subnet_advertisements: SubnetAdvertisement[] }>(
      'listSubnetAdvertisements',
      { network_id: net.id, source: 'pod_subnet' },
    );
    expect(new Set(summary.bgp_routes.map(({ source }) => source))).toEqual(
      new Set(listed.map(({ id }) => `pod_subnet:${id}`)),
    );
  });

  test('is given to those who are there when a network gets its prefix, and pins that', async () => {
    const net = await create();
    const peers = [await attach(net), await attach(net)];
    const pods = freshPods();
    const previewed = await run<{ plan: Plan }>('updateNetwork', {
      network_id: net.id,
      pod_subnet_prefix: pods,
      dry_run: true,
    });
    expect(previewed.plan.node_count).toBe(2);
    expect(JSON.stringify(previewed.plan)).toContain(`get a slice of ${pods}`);
    expect(sliceOf(await get(peers[0] as Peer))).toEqual([null, null]);
    await update(net, { pod_subnet_prefix: pods });
    for (const peer of peers) {
      expect(sliceOf(await get(peer))).toEqual([expect.stringContaining('.0/24'), 'assigned']);
    }
    const next = freshPods();
    for (const other of [next, null]) {
      const refused = await refusalOf(update(net, { pod_subnet_prefix: other }));
      expect(refused?.is).toBe('conflict pod_subnet_prefix in_use');
      expect(refused?.detail).toContain('(assigned)');
      expect(refused?.detail).toContain('detach these peers first');
    }
    expect(routed(peers[0] as Peer)).toHaveLength(2);
    for (const peer of peers) await run('detachPeer', { peer_id: peer.id });
    await update(net, { pod_subnet_prefix: next });
    expect((await attach(net)).pod_subnet).toBe(next.replace('0.0/16', '255.0/24'));
  });

  test('that is set stays, and is refused outside of the prefix, on that of another, and without a prefix', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const at = (text: string) => pods.replace('0.0/16', text);
    const [one, two] = [await attach(net, { pod_subnet: at('7.0/24') }), await attach(net)];
    expect(sliceOf(one)).toEqual([at('7.0/24'), 'set']);
    expect(sliceOf(await set(two, at('16.0/20')))).toEqual([at('16.0/20'), 'set']);
    expect(routed(one)).toEqual([`${at('16.0/20')} ${two.id}`, `${at('7.0/24')} ${one.id}`]);
    const overlap = await refusalOf(set(one, at('17.0/24')));
    expect(overlap?.is).toBe('conflict pod_subnet overlap');
    expect(overlap?.detail).toContain(`${at('16.0/20')}, the slice of "${two.hostname}"`);
    expect((await refusalOf(set(one, '192.168.1.0/24')))?.is).toBe(
      'validation_failed pod_subnet outside_pod_prefix',
    );
    const other = await create();
    expect((await refusalOf(attach(other, { pod_subnet: at('9.0/24') })))?.is).toBe(
      'conflict pod_subnet no_pod_prefix',
    );
    const [event] = await events('sdwan.peer.updated', two);
    expect(event?.payload).toMatchObject({
      before: { pod_subnet: at('255.0/24'), pod_subnet_source: 'assigned' },
      after: { pod_subnet: at('16.0/20'), pod_subnet_source: 'set' },
    });
    // Left to the platform again it stays the same.
    expect(sliceOf(await set(two, null))).toEqual([at('16.0/20'), 'assigned']);
  });

  test('goes with its peer, rests, and comes back with it', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const at = (text: string) => pods.replace('0.0/16', text);
    const [one, two] = [await attach(net, { pod_subnet: at('7.0/24') }), await attach(net)];
    await run('detachPeer', { peer_id: one.id });
    expect(routed(two)).toEqual([`${at('255.0/24')} ${two.id}`]);
    await run('detachPeer', { peer_id: two.id });
    // Its slice rests, so another one gets the next.
    const three = await attach(net);
    expect(three.pod_subnet).toBe(at('254.0/24'));
    expect(sliceOf(await attach(net, { machine: two.node_instance_id }))).toEqual([
      at('255.0/24'),
      'assigned',
    ]);
    expect(sliceOf(await attach(net, { machine: one.node_instance_id }))).toEqual([at('7.0/24'), 'set']);
  });

  test('is none where all are given, which a note says', async () => {
    const net = await create({ pod_subnet_prefix: '10.85.0.0/24' });
    for (let i = 0; i < 16; i++) expect((await attach(net)).pod_subnet).toMatch(/\/28$/);
    const machine = await platform.addMachine(platform.admin.accountId, `last-${fresh()}`);
    const { peer, plan } = await run<{ peer: Peer; plan: Plan }>('attachPeer', {
      network_id: net.id,
      node_instance_id: machine,
      dry_run: true,
    });
    expect(peer.pod_subnet).toBe(null);
    expect(JSON.stringify(plan)).toContain('no_pod_subnet');
  });
});

describe('a slice that a machine says its cluster has', () => {
  test('takes the place of an assigned one, and pins the prefix', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const [one, two] = [await attach(net), await attach(net)];
    const first = pods.replace('0.0/16', '0.0/24');
    await says(one, ['192.168.1.0/24', first]);
    expect(sliceOf(await get(one))).toEqual([first, 'observed']);
    expect(routed(two)).toContain(`${first} ${one.id}`);
    expect(given(one, 'lan')).toMatchObject([{ prefix: first }]);
    const [event] = await events('sdwan.peer.pod_subnet_changed', one);
    expect(event).toMatchObject({
      severity: 'info',
      payload: { before: { pod_subnet_source: 'assigned' }, after: { pod_subnet: first } },
    });
    // The same again is no change.
    const sequence = platform.delivery.sequenceOf(platform.admin.accountId);
    const before = await get(one);
    await says(one, ['192.168.1.0/24', first]);
    expect(await get(one)).toEqual(before);
    expect(platform.delivery.sequenceOf(platform.admin.accountId)).toBe(sequence);
    // A machine that boots says nothing yet.
    await says(one, []);
    expect(sliceOf(await get(one))).toEqual([first, 'observed']);
    for (const other of [freshPods(), null]) {
      const refused = await refusalOf(update(net, { pod_subnet_prefix: other }));
      expect(refused?.is).toBe('conflict pod_subnet_prefix in_use');
      expect(refused?.detail).toContain(`${first} of "${one.hostname}" (observed)`);
    }
    await set(one, null);
    expect((await refusalOf(update(net, { pod_subnet_prefix: null })))?.is).toMatch(/in_use$/);
    for (const peer of [one, two]) await run('detachPeer', { peer_id: peer.id });
    await update(net, { pod_subnet_prefix: null });
  });

  test('that is the assigned one is known to be in use', async () => {
    const net = await create({ pod_subnet_prefix: freshPods() });
    const peer = await attach(net);
    const sequence = platform.delivery.sequenceOf(platform.admin.accountId);
    await says(peer, [peer.pod_subnet ?? '']);
    expect(sliceOf(await get(peer))).toEqual([peer.pod_subnet, 'observed']);
    expect(platform.delivery.sequenceOf(platform.admin.accountId)).toBe(sequence);
    const refused = await refusalOf(update(net, { pod_subnet_prefix: null }));
    expect(refused?.detail).toContain('(observed)');
  });

  test('changes nobody’s route where another peer has it, and says so', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const at = (text: string) => pods.replace('0.0/16', text);
    const [one, two] = [await attach(net, { pod_subnet: at('7.0/24') }), await attach(net)];
    const before = routed(one);
    for (const claimed of [at('7.0/24'), at('7.128/25'), at('0.0/16')]) {
      await says(two, [claimed], podSliceRestMs * 2 * fresh());
      expect(routed(one)).toEqual(before);
      expect(await get(two)).toMatchObject({
        pod_subnet: two.pod_subnet,
        problem: { code: 'pod_subnet_refused', detail: expect.stringContaining(`"${one.hostname}"`) },
      });
    }
    const found = await events('sdwan.peer.pod_subnet_refused', two);
    expect(found).toHaveLength(3);
    expect(found[0]).toMatchObject({ severity: 'warning' });
    // Once the other one has another slice, it gets what it says.
    await set(one, at('8.0/24'));
    await says(two, [at('7.0/24')], podSliceRestMs * 2 * fresh());
    expect(await get(two)).toMatchObject({ pod_subnet: at('7.0/24'), problem: null });
  });

  test('that is larger than the platform would assign is the operator’s to give', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const peer = await attach(net);
    await says(peer, [pods]);
    expect(await get(peer)).toMatchObject({
      pod_subnet: peer.pod_subnet,
      problem: { code: 'pod_subnet_refused', detail: expect.stringContaining('larger than the /24') },
    });
    expect(await set(peer, pods)).toMatchObject({ pod_subnet: pods, problem: null });
  });

  test('does not go before one that is set', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const at = (text: string) => pods.replace('0.0/16', text);
    const peer = await attach(net, { pod_subnet: at('7.0/24') });
    await says(peer, [at('1.0/24')]);
    expect(await get(peer)).toMatchObject({
      pod_subnet: at('7.0/24'),
      problem: { code: 'pod_subnet_refused', detail: expect.stringContaining(`${at('7.0/24')} is set`) },
    });
    expect(await set(peer, null)).toMatchObject({
      pod_subnet: at('1.0/24'),
      pod_subnet_source: 'observed',
      problem: null,
    });
  });

  test('moves at most once a minute, and then without the machine saying it again', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const at = (text: string) => pods.replace('0.0/16', text);
    const peer = await attach(net);
    await says(peer, [at('1.0/24')]);
    const waitMs = await says(peer, [at('2.0/24')]);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(podSliceRestMs);
    expect((await get(peer)).pod_subnet).toBe(at('1.0/24'));
    await says(peer, [at('2.0/24')], podSliceRestMs);
    expect((await get(peer)).pod_subnet).toBe(at('2.0/24'));
  });

  test('that two machines have exchanged is exchanged here too', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const at = (text: string) => pods.replace('0.0/16', text);
    const [one, two] = [await attach(net), await attach(net)];
    await says(one, [at('1.0/24')]);
    await says(two, [at('2.0/24')]);
    await says(one, [at('2.0/24')], podSliceRestMs);
    // Its old slice it gave up; the new one is still another's.
    expect(await get(one)).toMatchObject({ pod_subnet: null, problem: { code: 'pod_subnet_refused' } });
    await says(two, [at('1.0/24')], podSliceRestMs);
    expect(await get(one)).toMatchObject({ pod_subnet: at('2.0/24'), problem: null });
    expect(await get(two)).toMatchObject({ pod_subnet: at('1.0/24'), problem: null });
    expect(routed(one)).toEqual([`${at('1.0/24')} ${two.id}`, `${at('2.0/24')} ${one.id}`]);
  });

  test('of a peer that left may be another’s at once', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const first = pods.replace('0.0/16', '0.0/24');
    const [one, two] = [await attach(net), await attach(net)];
    await says(one, [first]);
    await says(two, [first]);
    expect((await get(two)).problem?.code).toBe('pod_subnet_refused');
    await run('detachPeer', { peer_id: one.id });
    expect(await get(two)).toMatchObject({ pod_subnet: first, pod_subnet_source: 'observed', problem: null });
    // The one that comes back gets another one.
    const back = await attach(net, { machine: one.node_instance_id });
    expect(back.pod_subnet).not.toBe(first);
  });
});
