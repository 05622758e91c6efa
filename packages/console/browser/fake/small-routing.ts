// Routing of the plant: LANs of its cells, one of them behind two, sessions of BGP with one that is down and one of an
// instance that is offline, and two route policies.
import type { BgpSession } from '@powernode/core/intent/bgp';
import { idOf } from './ids.ts';
import { ago, type Network, type Peer, replace, stored, type World } from './world.ts';

export function addRouting(world: World): void {
  const network = world.networks.find(({ name }) => name === 'plant');
  if (network === undefined) throw new Error('the world has no plant');
  const peers = world.peers.filter(({ network_id }) => network_id === network.id);
  const cells = peers.filter(({ role }) => role === 'spoke');
  const [first, second, third] = cells;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('the plant is empty');
  replace(world.networks, { ...network, routing_mode: 'ibgp' });
  addLan(world, network, { peer: first, prefix: '10.7.0.0/24', description: 'Assembly', preference: 200 });
  addLan(world, network, { peer: second, prefix: '10.7.0.0/24', description: 'Assembly', preference: 100 });
  addLan(world, network, {
    peer: third,
    prefix: 'fd00:7:1::/64',
    description: 'Paint shop',
    preference: 100,
  });
  addSessions(world, network, { hubs: peers.filter(({ role }) => role === 'hub'), cells });
  world.routePolicies.push(
    {
      ...stored(idOf(3600), 60_000),
      network_id: network.id,
      name: 'prefer the second line',
      direction: 'import',
      statements: [
        {
          seq: 10,
          match: { prefix: '10.7.0.0/24', peer: second.id },
          set: { local_pref: 300 },
          action: 'permit',
        },
        { seq: 20, match: { prefix: '10.99.0.0/16', prefix_le: 24 }, set: {}, action: 'deny' },
      ],
    },
    {
      ...stored(idOf(3601), 50_000),
      network_id: network.id,
      name: 'mark what leaves',
      direction: 'export',
      statements: [{ seq: 10, match: {}, set: { community: '64512:7' }, action: 'permit' }],
    },
  );
}

function addLan(
  world: World,
  network: Network,
  of: {
    readonly peer: Peer;
    readonly prefix: string;
    readonly description: string;
    readonly preference: number;
  },
): void {
  const { peer, prefix, ...rest } = of;
  world.subnets.push({
    ...stored(idOf(3500 + world.subnets.length), 60_000),
    network_id: network.id,
    peer_id: peer.id,
    hostname: peer.hostname,
    prefix,
    local_prefix: prefix,
    source: 'declared_lan_subnet',
    source_nat: false,
    withdrawn_at: null,
    ...rest,
  });
}

function addSessions(
  world: World,
  network: Network,
  { hubs, cells }: { readonly hubs: readonly Peer[]; readonly cells: readonly Peer[] },
): void {
  const [hub] = hubs;
  if (hub === undefined) throw new Error('the plant has no hub');
  for (const [i, cell] of cells.entries()) {
    const state: Partial<BgpSession> =
      i === 1
        ? { state: 'Active', uptime: null, uptime_seconds: null, last_error: 'BFD down received' }
        : i === 2
          ? { stale: true, observed_at: ago(7200) }
          : {};
    world.bgpSessions.push({
      id: idOf(3700 + i),
      network_id: network.id,
      peer_id: cell.id,
      hostname: cell.hostname,
      neighbor_id: hub.id,
      neighbor_hostname: hub.hostname,
      state: 'Established',
      uptime: '1d02h03m',
      uptime_seconds: 93_780,
      prefixes_received: 3,
      refused: null,
      last_reset: null,
      last_error: null,
      observed_at: ago(20),
      stale: false,
      ...state,
    });
  }
}
