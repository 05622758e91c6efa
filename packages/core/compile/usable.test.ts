// What a node without an IPv4 address in its network does not get of the network's IPv4 prefix.
import { expect, test } from 'vitest';
import { type EntryValue, entryKey } from '../wire/document.ts';
import type { NetworkModel, PeerModel, PortMappingModel, VirtualIpModel } from './model.ts';
import { NetworkIndex } from './network-index.ts';
import { usableEntries } from './usable.ts';

const network: NetworkModel = {
  id: 'n',
  accountId: 'a',
  handle: 'h',
  prefix: 'fd00::/64',
  ipv4Prefix: '100.64.0.0/18',
  mtu: 1420,
  topologyStrategy: 'full_mesh',
  firewallDefaultPolicy: 'accept',
  rematchConnections: true,
};

function peer(number: number, change: Partial<PeerModel> = {}): PeerModel {
  return {
    id: `p${number}`,
    networkId: 'n',
    instanceId: `i${number}`,
    hostAddress: `fd00::${number}`,
    ipv4Address: `100.64.0.${number}`,
    publicKey: `${'A'.repeat(42)}${number}=`,
    directKey: null,
    directEndpoint: null,
    hubSlot: null,
    endpoint: `203.0.113.${number}:51820`,
    listenPort: 51820,
    tags: [],
    draining: false,
    ...change,
  };
}

const virtualIp: VirtualIpModel = {
  type: 'virtual_ip',
  id: 'v',
  networkId: 'n',
  addresses: ['fd00::99', '100.64.0.99'],
  anycast: false,
  candidates: ['p2'],
  holder: 'p2',
  epoch: 1,
};
const mapping: PortMappingModel = {
  type: 'port_mapping',
  id: 'm',
  networkId: 'n',
  hubPeerId: 'p1',
  externalAddress: '203.0.113.1',
  externalPort: 80,
  protocol: 'tcp',
  target: { kind: 'peer', id: 'p3' },
  targetPort: 80,
  sourceCidrs: [],
  rateLimit: null,
  maxConnections: null,
};

function documentOf(instanceId: string, without: readonly string[]): ReadonlyMap<string, EntryValue> {
  const peers = [peer(1, { hubSlot: 1 }), peer(2), peer(3)].map((one) =>
    without.includes(one.instanceId) ? { ...one, ipv4Address: null } : one,
  );
  const index = new NetworkIndex(network, peers, [virtualIp, mapping]);
  return new Map(index.compile(instanceId).map(({ value }) => [entryKey(value), value]));
}

/** Everything by which IPv4 packets would be led, or answered for. */
function leading(entries: ReadonlyMap<string, EntryValue>): string[] {
  return [...entries.values()].flatMap((entry) => {
    if (entry.kind === 'route') return [entry.destination];
    if (entry.kind === 'virtual_ip') return entry.addresses;
    if (entry.kind === 'anycast') return entry.destinations;
    if (entry.kind === 'port_mapping') return [entry.target_address];
    return entry.kind === 'interface' ? entry.addresses : [];
  });
}

test.each(['i1', 'i2', 'i3'])(
  'of %s nothing leads IPv4 into the overlay without its own address [9.26]',
  (id) => {
    const whole = documentOf(id, []);
    expect(usableEntries(whole)).toBe(whole);
    expect(leading(whole).some((one) => one.startsWith('100.64.'))).toBe(true);
    const refused = usableEntries(documentOf(id, [id]));
    expect(leading(refused).filter((one) => one.startsWith('100.64.'))).toEqual([]);
    // IPv6 is as it was.
    const ofIpv6 = (entries: ReadonlyMap<string, EntryValue>) =>
      leading(entries).filter((one) => one.includes(':'));
    expect(ofIpv6(refused)).toEqual(ofIpv6(whole));
    expect([...refused.values()].filter(({ kind }) => kind === 'rule' || kind === 'peer')).toHaveLength(
      [...whole.values()].filter(({ kind }) => kind === 'rule' || kind === 'peer').length,
    );
  },
);
