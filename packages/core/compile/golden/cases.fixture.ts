// Test support: the networks whose documents are written down beside this file, one case a file.
import { networkModel, peerModel, ruleModel } from '../model.fixture.ts';
import type {
  Item,
  NetworkModel,
  PeerModel,
  PortMappingModel,
  RuleModel,
  Selector,
  SubnetModel,
  UserDeviceModel,
  VirtualIpModel,
} from '../model.ts';
import type { Given } from './render.fixture.ts';

export interface GoldenCase extends Given {
  /** The name of the file, without its ending. */
  readonly name: string;
  /** The peer whose machine has the document. */
  readonly self: string;
}

const network: NetworkModel = networkModel({
  id: 'net',
  handle: 'net',
  prefix: 'fd00:1::/64',
  firewallDefaultPolicy: 'drop',
});

type Part = Partial<PeerModel> & Pick<PeerModel, 'id' | 'hostAddress'>;

/**
 * Attached with the keys that every agent publishes for it: one for its tunnels to hubs, one for its leaf interface.
 */
function peer(part: Part): PeerModel {
  return peerModel({
    networkId: 'net',
    instanceId: `machine-of-${part.id}`,
    publicKey: `${part.id}.key`,
    directKey: `${part.id}.leaf-key`,
    ...part,
  });
}

const hub1 = peer({
  id: 'hub-1',
  hostAddress: 'fd00:1::1',
  hubSlot: 1,
  endpoint: '192.0.2.1:51820',
});
const hub2 = peer({
  id: 'hub-2',
  hostAddress: 'fd00:1::2',
  hubSlot: 2,
  endpoint: '192.0.2.2:51820',
  fallbackEndpoints: ['[2001:db8::2]:51820'],
});
const spoke1 = peer({ id: 'spoke-1', hostAddress: 'fd00:1::11' });
const spoke2 = peer({ id: 'spoke-2', hostAddress: 'fd00:1::12' });

const reachable = peer({
  id: 'reachable',
  hostAddress: 'fd00:1::21',
  endpoint: '198.51.100.21:51820',
});
const punched1 = peer({
  id: 'punched-1',
  hostAddress: 'fd00:1::31',
  directEndpoint: '198.51.100.31:40001',
});
const punched2 = peer({
  id: 'punched-2',
  hostAddress: 'fd00:1::32',
  directEndpoint: '198.51.100.32:40002',
});
const unreachable = peer({ id: 'unreachable', hostAddress: 'fd00:1::41' });
/** Attached before machines published a second key. */
const keyless = peer({ id: 'keyless', hostAddress: 'fd00:1::51', directKey: null });

const fewPeers = [hub1, hub2, spoke1, spoke2];
const mesh: NetworkModel = { ...network, topologyStrategy: 'full_mesh' };
const mixed = {
  network: mesh,
  peers: [hub1, reachable, punched1, punched2, unreachable, keyless],
  items: [],
};

const dualStack: NetworkModel = { ...network, ipv4Prefix: '100.64.0.0/18' };
const dualStackPeers = [
  { ...hub1, ipv4Address: '100.64.0.1' },
  { ...spoke1, ipv4Address: '100.64.0.11' },
  // Its machine uses the block itself, so it was refused an address of it.
  spoke2,
];

const laptop: UserDeviceModel = {
  type: 'user_device',
  id: 'laptop',
  networkId: 'net',
  publicKey: 'laptop.key',
  addresses: ['fd00:1::d1'],
  hubPeerId: 'hub-1',
  tags: ['staff'],
};

const failover: VirtualIpModel = {
  type: 'virtual_ip',
  id: 'api',
  networkId: 'net',
  addresses: ['fd00:1::f1'],
  anycast: false,
  candidates: ['spoke-1', 'spoke-2'],
  holder: 'spoke-1',
  epoch: 7,
};
const anycast: VirtualIpModel = {
  ...failover,
  id: 'dns',
  addresses: ['fd00:1::f2'],
  anycast: true,
  candidates: ['hub-1', 'spoke-1'],
  holder: null,
  epoch: 1,
  healthCheck: { protocol: 'http', port: 8080, path: '/healthz', interval_ms: 200, fall: 3, rise: 2 },
};

const portForward: PortMappingModel = {
  type: 'port_mapping',
  id: 'web',
  networkId: 'net',
  hubPeerId: 'hub-1',
  externalAddress: '2001:db8::1',
  externalPort: 443,
  protocol: 'tcp',
  target: { kind: 'virtual_ip', id: 'api' },
  targetPort: 8443,
  sourceCidrs: ['2001:db8:5::/48'],
  rateLimit: 50,
  maxConnections: 1000,
};

/** One LAN behind two spokes; the less preferred one meets it under another prefix, and no client there has a route back. */
const lans: SubnetModel[] = [
  {
    type: 'subnet_advertisement',
    id: 'lan-1',
    networkId: 'net',
    peerId: 'spoke-1',
    prefix: '192.168.7.0/24',
    localPrefix: '192.168.7.0/24',
    preference: 200,
    sourceNat: false,
  },
  {
    type: 'subnet_advertisement',
    id: 'lan-2',
    networkId: 'net',
    peerId: 'spoke-2',
    prefix: '192.168.7.0/24',
    localPrefix: '10.7.0.0/24',
    preference: 100,
    sourceNat: true,
  },
];

/** Slices of two spokes of a network with pods. */
const slices: SubnetModel[] = ['spoke-1', 'spoke-2'].map((peerId, i) => ({
  type: 'subnet_advertisement',
  id: `slice-${i + 1}`,
  networkId: 'net',
  peerId,
  prefix: `10.42.${i + 1}.0/24`,
  localPrefix: `10.42.${i + 1}.0/24`,
  preference: 100,
  sourceNat: false,
}));
const withPods = {
  network: { ...dualStack, podPrefix: '10.42.0.0/16' },
  peers: [{ ...hub1, ipv4Address: '100.64.0.1' }, { ...spoke1, ipv4Address: '100.64.0.11' }, spoke2],
  items: slices,
};

function rule(id: string, part: Partial<RuleModel>): RuleModel {
  return ruleModel({ id, networkId: 'net', action: 'accept', ...part });
}

const to = (destination: Selector) => ({ destination });
/**
 * One for each kind of selector; of those that name one object, one that this hub evaluates and one that it does not.
 */
const rules: Item[] = [
  rule('r01-all', { protocol: 'icmp6' }),
  rule('r02-cidr', { selector: { kind: 'cidr', cidr: '2001:db8:7::/48' }, protocol: 'tcp', ports: [22, 22] }),
  rule('r03-tag', { selector: { kind: 'tag', tag: 'staff' }, ...to({ kind: 'tag', tag: 'db' }) }),
  rule('r04-to-this-peer', to({ kind: 'peer', id: 'hub-1' })),
  rule('r05-to-other-peer', to({ kind: 'peer', id: 'spoke-1' })),
  rule('r06-from-this-peer', { direction: 'egress', selector: { kind: 'peer', id: 'hub-1' } }),
  rule('r07-both-ends', {
    direction: 'both',
    selector: { kind: 'peer', id: 'hub-1' },
    ...to({ kind: 'peer', id: 'spoke-2' }),
    action: 'reject',
  }),
  rule('r08-to-device', { ...to({ kind: 'user_device', id: 'laptop' }), action: 'drop' }),
  rule('r09-to-virtual-ip', to({ kind: 'virtual_ip', id: 'api' })),
  rule('r10-to-own-virtual-ip', {
    ...to({ kind: 'virtual_ip', id: 'dns' }),
    protocol: 'udp',
    ports: [53, 53],
  }),
  rule('r11-to-federation-peer', to({ kind: 'federation_peer', id: 'partner' })),
  rule('r12-to-deleted-peer', to({ kind: 'peer', id: 'no-such-peer' })),
  rule('r13-switched-off', { enabled: false }),
];
const taggedPeers = [hub1, hub2, { ...spoke1, tags: ['db', 'unnamed'] }, { ...spoke2, tags: ['db'] }];

const few = { network, peers: fewPeers, items: [] };
const withFailover = { network, peers: fewPeers, items: [failover] };
const withAnycast = { network, peers: fewPeers, items: [anycast] };

export const goldenCases: readonly GoldenCase[] = [
  { name: 'two-hubs-two-spokes-hub', ...few, self: 'hub-1' },
  { name: 'two-hubs-two-spokes-spoke', ...few, self: 'spoke-1' },
  { name: 'full-mesh-hub', ...mixed, self: 'hub-1' },
  { name: 'full-mesh-reachable-spoke', ...mixed, self: 'reachable' },
  { name: 'full-mesh-hole-punchable-spoke', ...mixed, self: 'punched-1' },
  { name: 'full-mesh-unreachable-spoke', ...mixed, self: 'unreachable' },
  { name: 'full-mesh-keyless-spoke', ...mixed, self: 'keyless' },
  { name: 'ipv4-overlay-prefix-hub', network: dualStack, peers: dualStackPeers, items: [], self: 'hub-1' },
  {
    name: 'ipv4-overlay-prefix-spoke',
    network: dualStack,
    peers: dualStackPeers,
    items: [],
    self: 'spoke-1',
  },
  { name: 'user-device-hub', network, peers: [hub1, hub2, spoke1], items: [laptop], self: 'hub-1' },
  { name: 'virtual-ip-holder', ...withFailover, self: 'spoke-1' },
  { name: 'virtual-ip-hub', ...withFailover, self: 'hub-2' },
  { name: 'anycast-virtual-ip-hub', ...withAnycast, self: 'hub-1' },
  { name: 'anycast-virtual-ip-holder', ...withAnycast, self: 'spoke-1' },
  { name: 'anycast-virtual-ip-spoke', ...withAnycast, self: 'spoke-2' },
  { name: 'port-forward-hub', network, peers: fewPeers, items: [failover, portForward], self: 'hub-1' },
  { name: 'lan-hub', network, peers: fewPeers, items: lans, self: 'hub-1' },
  { name: 'lan-spoke', network, peers: fewPeers, items: lans, self: 'spoke-2' },
  { name: 'pods-spoke', ...withPods, self: 'spoke-1' },
  {
    name: 'firewall-rules-hub',
    network,
    peers: taggedPeers,
    items: [laptop, failover, anycast, ...rules],
    self: 'hub-1',
  },
];
