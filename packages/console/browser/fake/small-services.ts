// What the networks of the small world serve.
import { idOf, keyOf } from './ids.ts';
import { serviceChanges } from './service-changes.ts';
import {
  ago,
  type Network,
  type Peer,
  replace,
  stored,
  type UserDevice,
  type VirtualIp,
  type World,
} from './world.ts';

export function addServices(world: World): void {
  const [network] = world.networks;
  const peer = (hostname: string): Peer => {
    const found = world.peers.find((one) => one.hostname === hostname);
    if (found === undefined) throw new Error(`the world has no ${hostname}`);
    return found;
  };
  if (network === undefined) throw new Error('the world has no network');
  addDirectPaths(world, peer);
  addVirtualIps(world, network, peer);
  addDevices(world, network, peer);
  addRules(world, network, peer);
  addPortMappings(world, network, peer);
}

type PeerOf = (hostname: string) => Peer;

function addDirectPaths(world: World, peer: PeerOf): void {
  const [a, b] = [peer('edge1'), peer('edge2')];
  replace(world.peers, { ...a, direct_peer_ids: [b.id] });
  replace(world.peers, { ...b, direct_peer_ids: [a.id] });
  replace(world.peers, {
    ...peer('build-runner-04'),
    direct_path: {
      state: 'symmetric_nat',
      detail: 'Its NAT gives each destination another port, so nobody else can meet it: it stays on its hub.',
    },
  });
}

function addVirtualIps(world: World, network: Network, peer: PeerOf): void {
  const made = (
    n: number,
    part: Partial<VirtualIp> & { readonly name: string; readonly primary_holder_peer_id: string },
  ) => {
    const ip: VirtualIp = {
      ...stored(idOf(3000 + n), 70_000 - n),
      network_id: network.id,
      address: `${network.prefix.replace('/64', '')}f${n}`,
      ipv4_address: network.ipv4_prefix === null ? null : network.ipv4_prefix.replace('0/22', `20${n}`),
      anycast: false,
      state: 'active',
      state_detail: null,
      failover_holder_peer_ids: [],
      current_holder_peer_id: part.primary_holder_peer_id,
      preempt: false,
      hold_down_seconds: 10,
      epoch: 1,
      last_transition_at: ago(70_000 - n),
      transitions: [],
      health_check: null,
      holders: [],
      ...part,
    };
    world.virtualIps.push(ip);
  };
  const [edge1, edge2, edge3, hub1, hub2] = ['edge1', 'edge2', 'edge3', 'hub1', 'hub2'].map(
    (hostname) => peer(hostname).id,
  ) as [string, string, string, string, string];
  const moved = (part: Partial<VirtualIp['transitions'][number]>): VirtualIp['transitions'][number] => ({
    at: ago(4000),
    from_peer_id: edge2,
    to_peer_id: edge1,
    reason: 'holder_dead',
    detail: 'edge2 was reached by 0 of 3 probes; the policy let it move at once.',
    actor: 'platform',
    epoch: 3,
    took_ms: 412,
    ...part,
  });
  made(0, {
    name: 'web',
    primary_holder_peer_id: edge1,
    failover_holder_peer_ids: [edge2, hub2],
    preempt: true,
    epoch: 3,
    last_transition_at: ago(4000),
    transitions: [
      moved({}),
      moved({
        at: ago(9000),
        from_peer_id: edge1,
        to_peer_id: edge2,
        reason: 'drained',
        epoch: 2,
        took_ms: 96,
        detail: 'edge1 was drained.',
        actor: 'Maria Keller',
      }),
      moved({
        at: ago(69_000),
        from_peer_id: null,
        to_peer_id: edge1,
        reason: 'created',
        epoch: 1,
        took_ms: 151,
        detail: 'Made by admin.',
        actor: 'admin',
      }),
    ],
  });
  made(1, {
    name: 'files',
    primary_holder_peer_id: edge3,
    failover_holder_peer_ids: [edge2],
    state: 'error',
    state_detail: 'edge3 is silent. The policy asks for approval before another peer takes over.',
  });
  made(2, {
    name: 'dns',
    primary_holder_peer_id: hub1,
    failover_holder_peer_ids: [hub2],
    anycast: true,
    current_holder_peer_id: null,
    health_check: { protocol: 'tcp', port: 53, interval_ms: 200, fall: 3, rise: 2 },
    holders: [
      { peer_id: hub1, hostname: 'hub1', health: 'healthy', since: ago(60_000), last_error: null },
      {
        peer_id: hub2,
        hostname: 'hub2',
        health: 'failing',
        since: ago(300),
        last_error: 'the connection was refused',
      },
    ],
  });
  made(3, { name: 'printer', primary_holder_peer_id: hub2 });
}

function addDevices(world: World, network: Network, peer: PeerOf): void {
  const [hub1, hub2] = [peer('hub1'), peer('hub2')];
  const made = (n: number, hub: Peer, part: Partial<UserDevice> & { readonly name: string }) => {
    const device: UserDevice = {
      ...stored(idOf(3200 + n), 50_000 - n),
      network_id: network.id,
      access_grant_id: idOf(3300 + n),
      public_key: keyOf(900 + n),
      host_address: `${network.prefix.replace('/64', '')}d${n}`,
      ipv4_address: network.ipv4_prefix === null ? null : network.ipv4_prefix.replace('0/22', `22${n}`),
      hub_peer_id: hub.id,
      hub_hostname: hub.hostname,
      tags: [],
      status: 'active',
      stale_reason: null,
      revoked_at: null,
      revoked_on: null,
      last_handshake_at: ago(40 + n),
      rx_bytes: 81_000_000 * (n + 1),
      tx_bytes: 4_200_000 * (n + 1),
      ...part,
    };
    world.userDevices.push(device);
    world.accessGrants.push({
      ...stored(idOf(3300 + n), 50_100 - n),
      network_id: network.id,
      device_name_hint: device.name,
      tags: device.tags,
      status: 'used',
      expires_at: ago(49_000),
      used_at: device.created_at,
      user_device_id: device.id,
    });
  };
  made(0, hub1, { name: 'Ada’s phone', tags: ['admin'] });
  made(1, hub1, {
    name: 'Jonas’ laptop',
    status: 'stale',
    stale_reason: 'Its hub has another endpoint. Reissue the device.',
  });
  made(2, hub2, {
    name: 'lost tablet',
    status: 'revoked',
    revoked_at: ago(3000),
    revoked_on: { done: 2, of: 2 },
  });
  const open = { network_id: network.id, tags: [], used_at: null, user_device_id: null };
  world.accessGrants.push(
    {
      ...stored(idOf(3310), 300),
      ...open,
      device_name_hint: 'Maria’s laptop',
      status: 'unused',
      expires_at: ago(-600),
    },
    {
      ...stored(idOf(3311), 9000),
      ...open,
      device_name_hint: 'visitor',
      status: 'expired',
      expires_at: ago(8000),
    },
  );
}

/** By the changes of the platform, so that labels and targets are what it would say. */
function make(world: World, key: string, input: Record<string, unknown>): void {
  const change = serviceChanges[key];
  if (change === undefined) throw new Error(`there is no ${key}`);
  change(world, input).commit();
}

function addRules(world: World, network: Network, peer: PeerOf): void {
  const web = world.virtualIps[0]?.id;
  const common = { network_id: network.id, direction: 'ingress', protocol: 'any', enabled: true };
  const rules: readonly Record<string, unknown>[] = [
    { name: 'admins everywhere', action: 'accept', selector: { kind: 'tag', tag: 'admin' } },
    {
      name: 'branches to web',
      action: 'accept',
      selector: { kind: 'tag', tag: 'branch' },
      destination: { kind: 'virtual_ip', virtual_ip_id: web },
      protocol: 'tcp',
    },
    {
      name: 'branches to web, once more',
      action: 'reject',
      selector: { kind: 'tag', tag: 'branch' },
      destination: { kind: 'virtual_ip', virtual_ip_id: web },
      protocol: 'tcp',
      port_range: '8443',
    },
    {
      name: 'no ssh to branches',
      action: 'drop',
      selector: { kind: 'all' },
      destination: { kind: 'tag', tag: 'branch' },
      protocol: 'tcp',
      port_range: '22',
    },
    { name: 'contractor', action: 'accept', selector: { kind: 'user_device', user_device_id: idOf(0xbad) } },
    {
      name: null,
      action: 'drop',
      direction: 'both',
      selector: { kind: 'peer', peer_id: peer('edge3').id },
      enabled: false,
    },
  ];
  for (const rule of rules) make(world, 'createFirewallRule', { ...common, ...rule });
  world.firewallRules.forEach((rule, i) =>
    replace(
      world.firewallRules,
      {
        ...rule,
        id: idOf(3100 + i),
        ...(i < 4 ? { packets: 91_245 >> i, bytes: 81_245_110 >> i, counted_at: ago(6) } : {}),
      },
      rule.id,
    ),
  );
}

function addPortMappings(world: World, network: Network, peer: PeerOf): void {
  const [hub1, hub2] = [peer('hub1'), peer('hub2')];
  const addressOf = (hub: Peer) => (hub.endpoint ?? '').replace(/:\d+$/, '');
  const web = world.virtualIps[0]?.id;
  const mappings: readonly Record<string, unknown>[] = [
    {
      external_address: addressOf(hub1),
      external_port: 443,
      internal_virtual_ip_id: web,
      internal_port: 8443,
      protocol: 'tcp',
      source_cidrs: ['203.0.113.0/24'],
      rate_limit: 200,
      max_connections: 5000,
    },
    {
      external_address: addressOf(hub2),
      external_port: 443,
      internal_virtual_ip_id: web,
      internal_port: 8443,
      protocol: 'tcp',
    },
    {
      external_address: addressOf(hub2),
      external_port: 53,
      internal_peer_id: hub2.id,
      internal_port: 53,
      protocol: 'udp',
    },
  ];
  for (const mapping of mappings) make(world, 'createPortMapping', { network_id: network.id, ...mapping });
  world.portMappings.forEach((mapping, i) =>
    replace(
      world.portMappings,
      i === 2
        ? {
            ...mapping,
            id: idOf(3402),
            internal_address: null,
            internal_peer_id: null,
            status: 'target_missing',
            status_detail: 'The peer that it led to was detached. Choose another target, or delete it.',
          }
        : { ...mapping, id: idOf(3400 + i), keeps_client_address: i === 0 },
      mapping.id,
    ),
  );
}
