// A machine without FRR in a network with iBGP: who has static routes to what is behind it, and what a switch says of it.
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';
import { routingDaemonRestMs } from '@powernode/core/limits/overlay';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followObserved } from '../../../coordination/system-actor.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { followObservation } from './machine.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

async function run<Result>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Result> {
  return (await platform.call(key, input)) as unknown as Result;
}

async function attach(network: Network, machine: string): Promise<Peer> {
  const input = { network_id: network.id, node_instance_id: machine };
  return (await run<{ peer: Peer }>('attachPeer', input)).peer;
}

/** The machine says why FRR cannot be used on it, or that it can. Answers when it is looked at again. */
async function says(machine: string, missing: string | null, laterMs = 0): Promise<number | null> {
  const { store, bus, services } = platform;
  const { accountId } = platform.admin;
  await inAccount(store, accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({ routing_daemon: JSON.stringify({ missing }) })
      .where('id', '=', machine)
      .execute(),
  );
  const later = { ...services, now: () => new Date(Date.now() + laterMs) };
  const { change, againMs } = await followObserved(
    { store, bus, services: later },
    { accountId, action: 'observed_endpoint' },
    (context) => followObservation(context, { instanceId: machine }),
  );
  if (change !== null) platform.delivery.changed(accountId, change.sequence, change.changes);
  return againMs;
}

interface Summary {
  static_routes: { prefix: string; via_peer_id: string; source: string }[];
  bgp_routes: { prefix: string; nearest_of: string[] }[];
}

/** Whether the subnets that a machine is given are static ones, by prefix. */
function staticAt(machine: string, network: Network): Record<string, boolean> {
  const entries = platform.delivery.network(network.id)?.compile(machine) ?? [];
  const subnets = entries.flatMap(({ value }) => (value.kind === 'subnet' ? [value] : []));
  return Object.fromEntries(subnets.map((one) => [one.prefix, one.is_static === true]));
}

test('its peers keep static routes to its LAN, a switch names it, and both end when it has FRR', async () => {
  const { accountId } = platform.admin;
  const [hub, edge, other] = await Promise.all(
    ['hub', 'edge', 'other'].map((hostname) =>
      platform.addMachine(accountId, hostname, hostname === 'hub' ? { publicAddress: '203.0.113.9' } : {}),
    ),
  );
  if (hub === undefined || edge === undefined || other === undefined) throw new Error('no machines');
  const { network } = await run<{ network: Network }>('createNetwork', {
    ...{ name: 'mixed', ipv4_prefix: null },
  });
  await attach(network, hub);
  const peer = await attach(network, edge);
  const behind = await attach(network, other);
  await run('declareLanSubnets', { peer_id: peer.id, subnets: [{ prefix: '192.168.7.0/24' }] });
  await run('declareLanSubnets', { peer_id: behind.id, subnets: [{ prefix: '192.168.8.0/24' }] });
  await says(edge, 'FRR is not installed.');
  await says(other, null);
  expect(staticAt(hub, network)).toEqual({ '192.168.7.0/24': false, '192.168.8.0/24': false });
  const input = { network_id: network.id, routing_mode: 'ibgp' };
  const { plan } = await run<{ plan: { notes: object[] } }>('updateNetwork', { ...input, dry_run: true });
  expect(plan.notes).toMatchObject([
    { code: 'routing_daemon_missing', detail: expect.stringContaining('FRR cannot be used on edge: ') },
  ]);
  await run('updateNetwork', input);
  expect(staticAt(hub, network)).toEqual({ '192.168.7.0/24': true, '192.168.8.0/24': false });
  const { virtual_ip: ip } = await run<{ virtual_ip: { id: string; address: string } }>('createVirtualIp', {
    ...{ network_id: network.id, name: 'resolver', anycast: true },
    ...{ primary_holder_peer_id: behind.id, failover_holder_peer_ids: [peer.id] },
  });
  const summary = await run<Summary>('getRoutingSummary', { network_id: network.id });
  const toAddress = `${ip.address}/128`;
  expect(summary.static_routes.map((one) => `${one.prefix} ${one.via_peer_id} ${one.source}`)).toEqual([
    `192.168.7.0/24 ${peer.id} declared_lan_subnet`,
    `${toAddress} ${peer.id} virtual_ip:${ip.id}`,
    // Of the peer without FRR alone.
    `192.168.8.0/24 ${behind.id} declared_lan_subnet`,
    `${toAddress} ${behind.id} virtual_ip:${ip.id}`,
  ]);
  expect(summary.bgp_routes).toEqual([
    {
      ...{ prefix: '192.168.8.0/24', source: `peer:${behind.id}`, holders: [behind.id] },
      ...{ best: behind.id, nearest_of: [] },
    },
    {
      ...{ prefix: toAddress, source: `virtual_ip:${ip.id}`, holders: [behind.id] },
      ...{ best: null, nearest_of: [behind.id, peer.id] },
    },
  ]);
  const explained = await run<{ paths: { because: string }[] }>('explainRoute', {
    ...{ peer_id: behind.id, prefix: '192.168.7.0/24' },
  });
  expect(explained.paths.map(({ because }) => because)).toEqual([
    'Its peer has no FRR, so it is no path of BGP: other peers have a static route to it, by its preference.',
  ]);
  await says(edge, null, routingDaemonRestMs);
  expect(staticAt(hub, network)).toEqual({ '192.168.7.0/24': false, '192.168.8.0/24': false });
});

/** Two machines, and what makes a network with iBGP of them, with a LAN behind the second. */
async function twoMachines(name: string) {
  const { accountId } = platform.admin;
  const [hub, edge] = await Promise.all(
    ['hub', 'edge'].map((role) => platform.addMachine(accountId, `${role}-of-${name}`)),
  );
  if (hub === undefined || edge === undefined) throw new Error('no machines');
  const join = async () => {
    const { network } = await run<{ network: Network }>('createNetwork', { name, routing_mode: 'ibgp' });
    await attach(network, hub);
    const peer = await attach(network, edge);
    await run('declareLanSubnets', { peer_id: peer.id, subnets: [{ prefix: '192.168.9.0/24' }] });
    return network;
  };
  return { hub, edge, join };
}

test('a machine that has FRR by turns changes its networks twice in a rest time at most', async () => {
  const { accountId } = platform.admin;
  const { hub, edge, join } = await twoMachines('turns');
  const network = await join();
  const isStatic = () => staticAt(hub, network)['192.168.9.0/24'];
  const changes = () => platform.delivery.sequenceOf(accountId);
  const before = changes();
  // Each rest time is long, so that what the test itself takes changes nothing.
  const stepMs = routingDaemonRestMs / 4;
  const turns = 24;
  for (let i = 0; i < turns; i++) {
    const isMissing = i % 2 === 0;
    const againMs = await says(edge, isMissing ? 'FRR is not installed.' : null, i * stepMs);
    // That it is without FRR is followed at once.
    if (isMissing) expect([isStatic(), againMs]).toEqual([true, null]);
    else if (isStatic()) expect(againMs).toBeGreaterThan(0);
  }
  expect(changes() - before).toBeGreaterThan(2);
  expect(changes() - before).toBeLessThanOrEqual(2 * ((turns * stepMs) / routingDaemonRestMs));
  // When the rest is over it is used as what it is by then, without saying it again.
  await says(edge, 'FRR is not installed.', turns * stepMs);
  const waitMs = await says(edge, null, (turns + 1) * stepMs);
  expect(isStatic()).toBe(true);
  await says(edge, null, (turns + 1) * stepMs + (waitMs ?? 0) + 1_000);
  expect(isStatic()).toBe(false);
});

test('a machine that has said so is met so from when it is attached', async () => {
  const { hub, edge, join } = await twoMachines('late');
  await says(edge, 'FRR is not installed.');
  expect(staticAt(hub, await join())).toEqual({ '192.168.9.0/24': true });
});
