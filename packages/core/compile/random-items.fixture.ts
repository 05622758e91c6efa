// Test support: the objects of a random network beside its peers. They may name peers and objects that are gone.
import type {
  Item,
  NetworkModel,
  PeerModel,
  PortMappingModel,
  RoutePolicyModel,
  RuleModel,
  Selector,
  SessionResetModel,
  SubnetModel,
  UserDeviceModel,
  VirtualIpModel,
} from './model.ts';

/** All chance there is, and numbers that were not used before. */
export interface Chance {
  share(of: number): boolean;
  number(): number;
  one<T>(list: readonly T[]): T | undefined;
  pick<const T>(...options: readonly [T, ...T[]]): T;
  tags(): readonly string[];
}

interface Around {
  /** The item that is changed. */
  readonly before: Item | null;
  readonly peers: readonly PeerModel[];
  readonly items: readonly Item[];
}

export function randomItem(network: NetworkModel, around: Around, chance: Chance): Item {
  const { before } = around;
  const type =
    before?.type ??
    chance.pick(
      'firewall_rule',
      'firewall_rule',
      'virtual_ip',
      'virtual_ip',
      'port_mapping',
      'user_device',
      'subnet_advertisement',
      'route_policy',
      'session_reset',
    );
  const parts: Parts = { network, id: before?.id ?? `item-${chance.number()}`, ...around, chance };
  switch (type) {
    case 'firewall_rule':
      return rule(parts);
    case 'virtual_ip':
      return virtualIp(parts, before?.type === 'virtual_ip' ? before : null);
    case 'port_mapping':
      return portMapping(parts);
    case 'user_device':
      return userDevice(parts, before?.type === 'user_device' ? before : null);
    case 'subnet_advertisement':
      return subnet(parts);
    case 'route_policy':
      return routePolicy(parts);
    case 'session_reset':
      return sessionReset(parts, before?.type === 'session_reset' ? before : null);
  }
}

interface Parts extends Around {
  readonly network: NetworkModel;
  readonly id: string;
  readonly chance: Chance;
}

function rule(parts: Parts): RuleModel {
  const { network, id, chance } = parts;
  return {
    type: 'firewall_rule',
    id,
    networkId: network.id,
    direction: chance.pick('ingress', 'egress', 'both'),
    action: chance.pick('accept', 'drop', 'reject'),
    selector: selector(parts),
    destination: selector(parts),
    protocol: chance.pick('any', 'tcp', 'udp', 'icmp6'),
    ports: chance.share(0.5) ? null : [443, 8443],
    enabled: chance.share(0.8),
  };
}

function selector(parts: Parts): Selector {
  const { chance } = parts;
  const kind = chance.pick('peer', 'user_device', 'virtual_ip', 'federation_peer', 'tag', 'cidr', 'all');
  switch (kind) {
    case 'tag':
      return { kind, tag: chance.pick('a', 'b', 'c') };
    case 'cidr':
      return { kind, cidr: chance.pick('fd00::/8', '10.0.0.0/8') };
    case 'all':
      return { kind };
    case 'peer':
      return { kind, id: peerId(parts) };
    case 'federation_peer':
      return { kind, id: 'partner' };
    case 'user_device':
    case 'virtual_ip':
      return { kind, id: itemId(parts, kind) };
  }
}

function virtualIp(parts: Parts, before: VirtualIpModel | null): VirtualIpModel {
  const { network, id, chance } = parts;
  const candidates =
    before !== null && chance.share(0.6)
      ? before.candidates
      : [...new Set([peerId(parts), peerId(parts), peerId(parts)])].slice(0, chance.pick(1, 2, 3, 3));
  return {
    type: 'virtual_ip',
    id,
    networkId: network.id,
    addresses: before?.addresses ?? addresses(parts),
    anycast: chance.share(0.3),
    candidates,
    holder:
      chance.one(candidates) !== undefined && chance.share(0.85) ? (chance.one(candidates) ?? null) : null,
    epoch: (before?.epoch ?? 0) + 1,
    ...(chance.share(0.3)
      ? { healthCheck: { protocol: 'tcp', port: chance.pick(80, 443), interval_ms: 200, fall: 3, rise: 2 } }
      : {}),
  };
}

function portMapping(parts: Parts): PortMappingModel {
  const { network, id, chance } = parts;
  const target = chance.share(0.5)
    ? ({ kind: 'peer', id: peerId(parts) } as const)
    : ({ kind: 'virtual_ip', id: itemId(parts, 'virtual_ip') } as const);
  return {
    type: 'port_mapping',
    id,
    networkId: network.id,
    hubPeerId: hubId(parts),
    externalAddress: chance.pick('192.0.2.1', '2001:db8::1'),
    externalPort: 443,
    protocol: chance.pick('tcp', 'udp'),
    target,
    targetPort: chance.pick(443, 8443),
    sourceCidrs: chance.pick([], ['198.51.100.0/24']),
    rateLimit: chance.pick(null, 10),
    maxConnections: chance.pick(null, 100),
  };
}

function userDevice(parts: Parts, before: UserDeviceModel | null): UserDeviceModel {
  const { network, id, chance } = parts;
  return {
    type: 'user_device',
    id,
    networkId: network.id,
    publicKey: before !== null && chance.share(0.8) ? before.publicKey : `device-${chance.number()}`,
    addresses: before?.addresses ?? addresses(parts),
    hubPeerId: before !== null && chance.share(0.5) ? before.hubPeerId : hubId(parts),
    tags: chance.tags(),
  };
}

function subnet(parts: Parts): SubnetModel {
  const { network, id, chance } = parts;
  const prefix = chance.pick('fd00:77:1::/64', 'fd00:77:2::/64', '192.168.7.0/24');
  return {
    type: 'subnet_advertisement',
    id,
    networkId: network.id,
    peerId: peerId(parts),
    prefix,
    localPrefix: prefix === '192.168.7.0/24' ? chance.pick(prefix, '10.7.0.0/24') : prefix,
    preference: chance.pick(100, 200),
    sourceNat: chance.share(0.3),
  };
}

function routePolicy(parts: Parts): RoutePolicyModel {
  const { network, id, chance } = parts;
  return {
    type: 'route_policy',
    id,
    networkId: network.id,
    direction: chance.pick('import', 'export'),
    statements: [
      {
        seq: 10,
        match: chance.share(0.5) ? { peer: peerId(parts) } : { prefix: 'fd00:77:1::/64' },
        set: { local_pref: 200 },
        action: 'permit',
      },
    ],
  };
}

function sessionReset(parts: Parts, before: SessionResetModel | null): SessionResetModel {
  const { network, id, chance } = parts;
  return {
    type: 'session_reset',
    id,
    networkId: network.id,
    peerId: before?.peerId ?? peerId(parts),
    neighborId: before?.neighborId ?? peerId(parts),
    resetId: `reset-${chance.number()}`,
  };
}

function addresses({ network, chance }: Parts): string[] {
  const n = chance.number();
  const own = network.prefix.replace('/64', `f:${n.toString(16)}`);
  return network.ipv4Prefix === null ? [own] : [own, ipv4AddressOf(network.ipv4Prefix, n)];
}

export function ipv4AddressOf(prefix: string, n: number): string {
  const [a, b, c] = prefix.split('.').map(Number);
  return `${a}.${b}.${(c ?? 0) + ((n >> 8) & 63)}.${n & 255}`;
}

/** Mostly one of the network's, now and then one that is not there. */
function peerId({ peers, chance }: Parts): string {
  return chance.share(0.9) ? (chance.one(peers)?.id ?? 'gone') : `peer-${chance.pick(1, 2, 3, 4, 5, 6)}`;
}

function hubId(parts: Parts): string {
  const hubs = parts.peers.filter((peer) => peer.hubSlot !== null);
  return parts.chance.share(0.85) ? (parts.chance.one(hubs)?.id ?? peerId(parts)) : peerId(parts);
}

function itemId({ items, chance }: Parts, type: Item['type']): string {
  const found = chance.one(items.filter((item) => item.type === type));
  return chance.share(0.9) && found !== undefined ? found.id : `item-${chance.pick(1, 2, 3, 4, 5, 6, 7, 8)}`;
}
