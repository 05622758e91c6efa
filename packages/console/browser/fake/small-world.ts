// A small account in which something of everything is to be seen.
import { approvalExpiryMs } from '@powernode/core/limits/requests';
import { idOf } from './ids.ts';
import { addRouting } from './small-routing.ts';
import { addServices } from './small-services.ts';
import {
  ago,
  emptyWorld,
  type Instance,
  makeInstance,
  makeNetwork,
  makePeer,
  type Peer,
  stored,
  type World,
} from './world.ts';

export function smallWorld(): World {
  const world = emptyWorld();
  addMachines(world);
  addOffice(world);
  addPlant(world);
  world.networks.push(
    makeNetwork(3, { name: 'staging', topology_strategy: 'full_mesh', firewall_default_policy: 'drop' }),
  );
  addPeople(world);
  addTokens(world);
  addServices(world);
  addRouting(world);
  addApprovals(world);
  return world;
}

function addMachines(world: World): void {
  const machines: (Partial<Instance> & { readonly hostname: string })[] = [
    { hostname: 'hub1', publicly_reachable: true, tags: ['dc', 'fra'] },
    { hostname: 'hub2', publicly_reachable: true, tags: ['ams', 'dc'] },
    { hostname: 'edge1', tags: ['branch'] },
    { hostname: 'edge2', tags: ['branch', 'nat'] },
    { hostname: 'edge3', tags: ['branch', 'nat'], connected: false },
    { hostname: 'build-runner-04', applied_revision: 212, in_sync: false, tags: ['ci'] },
    { hostname: 'warehouse-gw', status: 'draining' },
    { hostname: 'old-gateway', status: 'terminated', connected: false },
    { hostname: 'spare-1' },
  ];
  machines.forEach((machine, i) => world.instances.push(makeInstance(i + 1, machine)));
}

function instanceAt(world: World, i: number): Instance {
  const instance = world.instances[i];
  if (instance === undefined) throw new Error(`the world has no machine ${i}`);
  return instance;
}

function addOffice(world: World): void {
  const network = makeNetwork(1, {
    name: 'office',
    description: 'Branches, the two data centres and whoever builds for them.',
    peer_count: 6,
    hub_count: 2,
  });
  const at = (n: number, part: Partial<Peer>) =>
    makePeer(n, { network, instance: instanceAt(world, n) }, part);
  const hub1 = at(0, { role: 'hub' });
  const hub2 = at(1, { role: 'hub' });
  world.networks.push(network);
  world.peers.push(
    hub1,
    hub2,
    at(2, { via_hub_peer_id: hub1.id }),
    at(3, { via_hub_peer_id: hub1.id }),
    at(4, { via_hub_peer_id: hub2.id, status: 'silent' }),
    at(5, { via_hub_peer_id: hub2.id, status: 'handshaking', applied_revision: 212 }),
  );
}

function addPlant(world: World): void {
  const network = makeNetwork(2, { name: 'plant', peer_count: 34, hub_count: 3, mtu: 1380 });
  world.networks.push(network);
  const hubs: Peer[] = [];
  for (let i = 0; i < 34; i++) {
    const hub = i < 3;
    const hostname = hub ? `plant-hub-${i + 1}` : `cell-${String(i - 2).padStart(2, '0')}`;
    const instance = makeInstance(100 + i, { hostname, publicly_reachable: hub, tags: ['plant'] });
    world.instances.push(instance);
    const status = i === 11 || i === 23 ? 'silent' : i === 30 ? 'handshake_pending' : 'connected';
    const via = hub ? null : (hubs[i % 3]?.id ?? null);
    const direct = i > 3 && i % 9 === 0;
    const peer = makePeer(
      100 + i,
      { network, instance },
      {
        role: hub ? 'hub' : 'spoke',
        status,
        via_hub_peer_id: direct ? null : via,
        path: hub || direct ? 'direct' : 'via hub',
      },
    );
    if (hub) hubs.push(peer);
    world.peers.push(peer);
  }
}

function addPeople(world: World): void {
  const people = [
    { name: 'Maria Keller', role: 'admin' as const },
    { name: 'deploy-bot', role: 'operator' as const },
    { name: 'Jonas Berg', role: 'viewer' as const },
  ];
  people.forEach((person, i) =>
    world.operators.push({
      ...stored(idOf(20 + i), 9e5),
      ...person,
      platform_admin: false,
      disabled: i === 2,
      disabled_at: i === 2 ? ago(3600) : null,
    }),
  );
}

function addTokens(world: World): void {
  const owner = (i: number) => world.operators[i]?.id ?? '';
  world.apiTokens.push(
    {
      ...stored(idOf(40)),
      operator_id: owner(0),
      created_by: null,
      created_with: null,
      for_model: false,
      name: 'admin-token',
      permissions: null,
      expires_at: null,
      last_used_at: ago(2),
      status: 'active',
    },
    {
      ...stored(idOf(41)),
      operator_id: owner(2),
      created_by: owner(0),
      created_with: idOf(40),
      for_model: false,
      name: 'deploy pipeline',
      permissions: ['system.sdwan.peers.manage', 'system.instances.read'],
      expires_at: ago(-2e6),
      last_used_at: ago(340),
      status: 'active',
    },
    {
      ...stored(idOf(42)),
      operator_id: owner(3),
      created_by: owner(0),
      created_with: idOf(40),
      for_model: false,
      name: 'laptop',
      permissions: null,
      expires_at: ago(9e4),
      last_used_at: null,
      status: 'expired',
    },
    {
      ...stored(idOf(43)),
      operator_id: owner(1),
      created_by: owner(0),
      created_with: idOf(40),
      for_model: false,
      name: 'old script',
      permissions: null,
      expires_at: null,
      last_used_at: ago(9e5),
      status: 'revoked',
    },
  );
  world.joinTokens.push(
    {
      ...stored(idOf(52), 4000),
      name_hint: 'spare-1',
      tags: [],
      status: 'used',
      expires_at: ago(400),
      used_at: ago(3900),
      instance_id: instanceAt(world, 8).id,
    },
    {
      ...stored(idOf(51), 9000),
      name_hint: null,
      tags: ['branch'],
      status: 'expired',
      expires_at: ago(5400),
      used_at: null,
      instance_id: null,
    },
    {
      ...stored(idOf(53), 600),
      name_hint: 'edge4',
      tags: ['branch'],
      status: 'unused',
      expires_at: ago(-3000),
      used_at: null,
      instance_id: null,
    },
  );
}

function addApprovals(world: World): void {
  const requested_by = { id: idOf(21), name: 'deploy-bot' };
  const peer = world.peers.find((one) => one.hostname === 'edge3');
  const plan = {
    node_count: 3,
    truncated: false,
    nodes: ['hub1', 'hub2', 'edge3'].map((hostname, i) => ({
      instance_id: idOf(10_001 + i),
      hostname,
      changes_count: i === 2 ? 4 : 1,
      changes: [
        {
          op: 'remove' as const,
          key: `peer/${i}`,
          detail: `peer edge3 on wg-offic1 (${peer?.host_address ?? ''}/128)`,
        },
        ...(i === 2 ? [{ op: 'remove' as const, key: 'interface', detail: 'interface wg-offic1' }] : []),
      ],
    })),
  };
  const base = {
    action: 'system_sdwan_detach_peer',
    category: 'sdwan.peer_detach',
    requested_by,
    result: null,
    error: null,
    secret: null,
  };
  const open = { decided_by: null, decided_at: null, reason: null };
  const decided = { decided_by: { id: idOf(2), name: 'admin' }, decided_at: ago(7000) };
  const expires_at = new Date(Date.now() + approvalExpiryMs - 600_000).toISOString();
  const input = { peer_id: peer?.id ?? '' };
  world.approvals.push(
    {
      ...stored(idOf(63), 600),
      ...base,
      ...open,
      summary: 'Detach edge3 from office',
      input,
      plan,
      status: 'pending',
      expires_at,
    },
    {
      ...stored(idOf(62), 8000),
      ...base,
      ...decided,
      summary: 'Detach old-gateway from office',
      input: {},
      plan: null,
      status: 'approved',
      reason: 'It is being replaced',
      expires_at: ago(0),
    },
    {
      ...stored(idOf(61), 20_000),
      ...base,
      ...decided,
      summary: 'Delete network plant',
      input: {},
      plan: null,
      status: 'rejected',
      reason: 'Not during the shift',
      expires_at: ago(0),
    },
    {
      ...stored(idOf(60), 40_000),
      ...base,
      ...decided,
      summary: 'Detach cell-90 from plant',
      input: {},
      plan: null,
      status: 'failed',
      reason: null,
      error: { code: 'not_found', detail: 'There is no peer cell-90.' },
      expires_at: ago(0),
    },
  );
}
