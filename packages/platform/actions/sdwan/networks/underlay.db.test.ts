// Blocks of networks against what machines have outside their overlays: refused where an operator gives them, kept out
// of where the platform chooses them.
import type { Event } from '@powernode/core/intent/fleet';
import type { Network } from '@powernode/core/intent/network';
import type { Peer, Topology } from '@powernode/core/intent/peer';
import { ipv4PrefixQuarantineMs } from '@powernode/core/limits/overlay';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followObserved } from '../../../coordination/system-actor.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { followObservation } from '../observed/machine.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

async function create(input: object): Promise<Network> {
  return ((await platform.call('createNetwork', input)) as unknown as { network: Network }).network;
}

async function update(network: Network, input: object): Promise<Network> {
  const answer = await platform.call('updateNetwork', { network_id: network.id, ...input });
  return (answer as unknown as { network: Network }).network;
}

async function network(id: string): Promise<Network> {
  return ((await platform.call('getNetwork', { network_id: id })) as unknown as { network: Network }).network;
}

async function attach(to: Network, machine: string): Promise<Peer> {
  const input = { network_id: to.id, node_instance_id: machine };
  return ((await platform.call('attachPeer', input)) as unknown as { peer: Peer }).peer;
}

const fact = (kind: UnderlayFact['kind'], at: string, name: string | null = 'eth0'): UnderlayFact => ({
  kind,
  at,
  interface: name,
});

const machine = (hostname: string, underlay: readonly UnderlayFact[], publicAddress?: string) =>
  platform.addMachine(platform.admin.accountId, hostname, {
    underlay,
    ...(publicAddress === undefined ? {} : { publicAddress }),
  });

interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly fields?: readonly { readonly path: string; readonly code: string }[];
}

const refusalOf = (work: Promise<unknown>): Promise<Refusal | null> =>
  work.then(
    () => null,
    (error: Refusal) => error,
  );

describe('a block that an operator gives', () => {
  test.each([
    ['203.0.113.0/24', 'documentation'],
    ['8.8.8.0/24', 'public'],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'link-local'],
    ['224.0.0.0/8', 'multicast'],
    ['0.0.0.0/8', 'this network'],
    ['198.18.0.0/16', 'benchmarks'],
    ['100.0.0.0/8', 'shared space and more'],
    ['172.0.0.0/11', 'private space and more'],
    ['192.0.2.0/24', 'documentation'],
  ])('is refused as no private one: %s (%s) [9.10]', async (block) => {
    const before = await create({ name: `outside ${block}` });
    const refused = await refusalOf(create({ name: `new ${block}`, ipv4_prefix: block }));
    expect(refused).toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'ipv4_prefix', code: 'not_private' }],
    });
    expect(await refusalOf(update(before, { ipv4_prefix: block }))).toMatchObject({
      code: 'validation_failed',
    });
    expect(await refusalOf(update(before, { pod_subnet_prefix: block }))).toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'pod_subnet_prefix', code: 'not_private' }],
    });
    expect(await network(before.id)).toEqual(before);
    await platform.call('deleteNetwork', { network_id: before.id, approve: true });
  });

  test.each(['2001:db8::/56', 'ff02::/64', 'fe80::/64', '::/96'])(
    'is refused as no private one of IPv6: %s [9.10]',
    async (block) => {
      const refused = await refusalOf(create({ name: `pods ${block}`, pod_subnet_prefix: block }));
      expect(refused).toMatchObject({ code: 'validation_failed', fields: [{ code: 'not_private' }] });
    },
  );

  test('is refused with machine and address where it covers anything that a member needs [9.10]', async () => {
    const one = await machine('covered-1', [
      fact('platform', '10.1.0.9/32', null),
      fact('gateway', '10.2.0.1/32'),
      fact('resolver', '10.3.0.53/32', null),
      fact('dhcp_server', '10.4.0.67/32', null),
      fact('network', '10.5.0.0/22'),
    ]);
    const hub = await machine('covered-2', [], '203.0.113.90');
    const net = await create({ name: 'covered' });
    await attach(net, hub);
    const peer = await attach(net, one);
    await platform.call('updatePeer', { peer_id: peer.id, endpoint_address: '10.6.0.7:51820' });
    const cases = [
      ['10.1.0.0/24', '10.1.0.9', 'covered-1'],
      ['10.2.0.0/16', '10.2.0.1', 'covered-1'],
      ['10.3.0.0/24', '10.3.0.53', 'covered-1'],
      ['10.4.0.64/26', '10.4.0.67', 'covered-1'],
      ['10.5.0.0/16', '10.5.0.0/22', 'covered-1'],
      ['10.5.1.0/24', '10.5.0.0/22', 'covered-1'],
      ['10.6.0.0/24', '10.6.0.7:51820', 'covered-1'],
    ] as const;
    for (const [block, address, hostname] of cases) {
      for (const path of ['ipv4_prefix', 'pod_subnet_prefix']) {
        const refused = await refusalOf(update(net, { [path]: block }));
        expect(refused, `${path} ${block}`).toMatchObject({
          code: 'conflict',
          fields: [{ path, code: 'covers_underlay' }],
          members: { address },
        });
        expect(refused?.detail).toContain(address);
        expect(refused?.detail).toContain(hostname);
      }
    }
    expect(await update(net, { ipv4_prefix: '10.7.0.0/24' })).toMatchObject({ ipv4_prefix: '10.7.0.0/24' });
    // The platform is everybody's: nobody is in the new network yet, and it is refused all the same.
    expect(await refusalOf(create({ name: 'platform', ipv4_prefix: '10.1.0.0/16' }))).toMatchObject({
      code: 'conflict',
      members: { address: '10.1.0.9' },
    });
    // What only concerns machines that are in other networks does not concern this one.
    expect(await create({ name: 'elsewhere', ipv4_prefix: '10.2.0.0/16' })).toMatchObject({
      ipv4_prefix: '10.2.0.0/16',
    });
  });

  test('is refused in a preview as well, and changes nothing [9.10]', async () => {
    const net = await create({ name: 'previewed' });
    await attach(net, await machine('previewed', [fact('gateway', '192.168.7.1/32')]));
    const before = await network(net.id);
    for (const dry_run of [true, false]) {
      const refused = await refusalOf(update(net, { ipv4_prefix: '192.168.7.0/24', dry_run }));
      expect(refused).toMatchObject({ code: 'conflict' });
    }
    expect(await network(net.id)).toEqual(before);
  });

  test("of another account's machines nothing is seen [9.10]", async () => {
    const made = (await platform.call('createAccount', { name: 'stranger' })) as unknown as {
      account: { id: string };
    };
    await platform.addMachine(made.account.id, 'stranger', {
      underlay: [fact('platform', '10.77.0.1/32', null), fact('network', '10.77.0.0/16')],
    });
    expect(await create({ name: 'unaware', ipv4_prefix: '10.77.0.0/16' })).toMatchObject({
      ipv4_prefix: '10.77.0.0/16',
    });
  });

  test('of IPv6 is refused where it covers what a machine has, when it is attached [9.10]', async () => {
    const net = await create({ name: 'six', prefix: 'fd00:99:1:2::/64' });
    const unlucky = await machine('six', [fact('network', 'fd00:99:1::/48')]);
    expect(await refusalOf(attach(net, unlucky))).toMatchObject({
      code: 'conflict',
      fields: [{ path: 'node_instance_id', code: 'covers_underlay' }],
    });
    expect(await network(net.id)).toMatchObject({ peer_count: 0 });
  });
});

describe('an IPv4 prefix that the platform chooses', () => {
  test('keeps out of what any machine has, and of all shared space where one has a part of it [9.26]', async () => {
    await machine('carrier', [fact('gateway', '100.72.0.1/32'), fact('network', '100.72.0.0/22')]);
    const first = await create({ name: 'chosen-1' });
    expect(first.ipv4_prefix).toBe('172.16.0.0/18');
    await machine('docker', [
      fact('network', '172.16.64.0/20', 'docker0'),
      fact('resolver', '172.16.128.9/32'),
    ]);
    const second = await create({ name: 'chosen-2' });
    expect(second.ipv4_prefix).toBe('172.16.192.0/18');
  });

  test('moves by itself before it is handed out, and is then refused to a newcomer that it does not suit [9.26]', async () => {
    const net = await create({ name: 'moving' });
    const ipv4Prefix = net.ipv4_prefix ?? '';
    const inTheWay = ipv4Prefix.replace(/\d+\/18$/, '5/32');
    const first = await attach(net, await machine('moving-1', [fact('gateway', inTheWay)]));
    const moved = await network(net.id);
    expect(moved.ipv4_prefix).not.toBe(ipv4Prefix);
    expect(first.ipv4_address?.startsWith(moved.ipv4_prefix?.split('.').slice(0, 2).join('.') ?? '-')).toBe(
      true,
    );
    // Handed out by now: whoever comes with a conflict is let in without it.
    const block = moved.ipv4_prefix ?? '';
    const late = await attach(
      net,
      await machine('moving-2', [fact('network', block, 'vpn0')], '203.0.113.91'),
    );
    expect(late).toMatchObject({ ipv4_address: null, problem: { code: 'ipv4_refused' } });
    expect(late.host_address).toMatch(/^fd/);
    for (const part of [block, 'moving-2', 'vpn0']) expect(late.problem?.detail).toContain(part);
    expect((await network(net.id)).ipv4_prefix).toBe(block);
    const { topology } = (await platform.call('getTopology', { network_id: net.id })) as unknown as {
      topology: Topology;
    };
    expect(topology.warnings).toContainEqual(
      expect.objectContaining({ code: 'ipv4_refused', detail: expect.stringContaining('moving-2') }),
    );
    // Another IPv4 prefix that suits everybody is everybody's.
    await update(net, { ipv4_prefix: '192.168.200.0/24' });
    const again = (await platform.call('getPeer', { peer_id: late.id })) as unknown as { peer: Peer };
    expect(again.peer).toMatchObject({ problem: null });
    expect(again.peer.ipv4_address).toMatch(/^192\.168\.200\./);
  });

  test('does not move when the operator gave it [9.26]', async () => {
    const net = await create({ name: 'given', ipv4_prefix: '192.168.90.0/24' });
    const peer = await attach(net, await machine('given', [fact('resolver', '192.168.90.53/32', null)]));
    expect(peer).toMatchObject({ ipv4_address: null, problem: { code: 'ipv4_refused' } });
    expect(await network(net.id)).toMatchObject({ ipv4_prefix: '192.168.90.0/24' });
  });

  test('of a spoke does not go by a hub that was refused it [9.26]', async () => {
    const net = await create({ name: 'hubless', ipv4_prefix: '192.168.91.0/24' });
    const spoke = await machine('hubless-spoke', []);
    await attach(net, spoke);
    await attach(net, await machine('hubless-hub', [fact('gateway', '192.168.91.1/32')], '203.0.113.92'));
    const routes = () =>
      (platform.delivery.network(net.id)?.compile(spoke) ?? []).flatMap(({ value }) =>
        value.kind === 'route' ? [value.destination] : [],
      );
    expect(routes()).toContain(net.prefix);
    expect(routes()).not.toContain('192.168.91.0/24');
    await attach(net, await machine('hubless-hub-2', [], '203.0.113.93'));
    expect(routes()).toContain('192.168.91.0/24');
  });
});

/** What a report of the machine leaves behind, `laterMs` from now. Answers in how long it is looked at again. */
async function surroundedBy(
  peer: Peer,
  underlay: readonly UnderlayFact[],
  of: { readonly laterMs?: number; readonly observed?: string } = {},
): Promise<number | null> {
  const { accountId } = platform.admin;
  const { store, bus, services } = platform;
  const observed = of.observed === undefined ? {} : { observed_address: of.observed };
  await inAccount(store, accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({ underlay: JSON.stringify(underlay), ...observed })
      .where('id', '=', peer.node_instance_id)
      .execute(),
  );
  const later = { ...services, now: () => new Date(Date.now() + (of.laterMs ?? 0)) };
  const followed = await followObserved(
    { store, bus, services: later },
    { accountId, action: 'observed_endpoint' },
    (context) => followObservation(context, { instanceId: peer.node_instance_id }),
  );
  const { change, againMs } = followed;
  if (change !== null) platform.delivery.changed(accountId, change.sequence, change.changes);
  return againMs;
}

describe('a machine that moves into a conflict with the IPv4 prefix later', () => {
  const now = async (peer: Peer): Promise<Peer> =>
    ((await platform.call('getPeer', { peer_id: peer.id })) as unknown as { peer: Peer }).peer;

  async function events(kind: string, peer: Peer) {
    const answer = await platform.call('recentEvents', { kind_prefix: kind, limit: 100 });
    const found = (answer as unknown as { events: Event[] }).events;
    return found.filter(({ payload }) => JSON.stringify(payload).includes(peer.id));
  }

  let count = 0;
  async function member(ipv4Prefix: string): Promise<Peer> {
    count += 1;
    const net = await create({ name: `roams-${count}`, ipv4_prefix: ipv4Prefix });
    await attach(net, await machine(`roams-hub-${count}`, [], `203.0.113.${100 + count}`));
    return attach(net, await machine(`roams-${count}`, [fact('gateway', '172.31.255.1/32')]));
  }

  test('loses the IPv4 prefix and nothing else, with event, reason and since when [9.26]', async () => {
    const peer = await member('10.97.0.0/24');
    expect(peer.ipv4_address).toMatch(/^10\.97\.0\./);
    const sequence = platform.delivery.sequenceOf(platform.admin.accountId);
    await surroundedBy(peer, [fact('network', '10.97.0.0/16', 'wlan0')]);
    const after = await now(peer);
    expect(after).toMatchObject({
      ipv4_address: null,
      host_address: peer.host_address,
      problem: { code: 'ipv4_refused' },
    });
    for (const part of ['10.97.0.0/16', `roams-${count}`, 'wlan0'])
      expect(after.problem?.detail).toContain(part);
    expect(Date.parse(after.problem?.since ?? '')).toBeGreaterThan(Date.parse(peer.created_at));
    expect(platform.delivery.sequenceOf(platform.admin.accountId)).toBe(sequence + 1);
    const told = platform.delivery.network(peer.network_id)?.compile(peer.node_instance_id) ?? [];
    const routes = told.flatMap(({ value }) => (value.kind === 'route' ? [value.destination] : []));
    expect(routes).not.toContain('10.97.0.0/24');
    const addresses = told.flatMap(({ value }) => (value.kind === 'interface' ? value.addresses : []));
    expect(addresses).toEqual([`${peer.host_address}/128`]);
    expect(await events('sdwan.peer.ipv4_withdrawn', peer)).toMatchObject([
      {
        severity: 'warning',
        payload: {
          before: { ipv4_address: peer.ipv4_address },
          after: { ipv4_address: null },
          detail: after.problem?.detail,
        },
      },
    ]);
    // The same again changes nothing, and nobody else gets the address.
    await surroundedBy(peer, [fact('network', '10.97.0.0/16', 'wlan0')]);
    expect(await now(peer)).toEqual(after);
    const net = await network(peer.network_id);
    expect((await attach(net, await machine(`roams-next-${count}`, []))).ipv4_address).not.toBe(
      peer.ipv4_address,
    );
  });

  test('has its address back once the conflict is over for a while [9.26]', async () => {
    const peer = await member('10.98.0.0/24');
    expect(await surroundedBy(peer, [fact('gateway', '10.98.0.1/32')])).toBeNull();
    expect(await now(peer)).toMatchObject({ ipv4_address: null });
    // Surroundings that come and go do not make all members follow.
    const againMs = await surroundedBy(peer, []);
    expect(await now(peer)).toMatchObject({ ipv4_address: null });
    // The platform looks again by itself: a machine whose surroundings stay as they are reports nothing more.
    expect(againMs).toBeGreaterThan(ipv4PrefixQuarantineMs - 60_000);
    expect(againMs).toBeLessThanOrEqual(ipv4PrefixQuarantineMs);
    await surroundedBy(peer, [], { laterMs: ipv4PrefixQuarantineMs });
    expect(await now(peer)).toMatchObject({ ipv4_address: peer.ipv4_address, problem: null });
    expect(await events('sdwan.peer.ipv4_given_back', peer)).toMatchObject([{ severity: 'info' }]);
  });

  test('keeps it when its stream comes through the overlay itself [9.26]', async () => {
    const peer = await member('10.99.0.0/24');
    const observed = peer.ipv4_address ?? '';
    await surroundedBy(peer, [fact('platform', '10.99.0.1/32', null)], { observed });
    expect(await now(peer)).toMatchObject({ ipv4_address: peer.ipv4_address, problem: null });
  });
});
