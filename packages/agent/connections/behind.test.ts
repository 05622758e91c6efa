// Connections of hosts behind this machine, and through its port mappings: the same as the kernel's chains do with their
// first packets. The model is a list of ways; each says at which addresses and ports which rules are evaluated.
import {
  devices,
  entriesOf,
  networkId,
  own,
  portNumbered,
  randomNetworkRules,
} from '@powernode/core/compile/firewall/random-rules.fixture';
import { type EvaluatedPacket, evaluate, type NetworkRules } from '@powernode/core/explain/evaluate';
import type { EntryValue, RuleEntry } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import type { LanEntry } from '@powernode/core/wire/routing-entries';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { mappingEntry } from '../subsystems/nftables/chains/documents.fixture.ts';
import { AllowedConnections, isSameAboutConnections } from './allowed.ts';
import { connection, noHostEnds } from './connections.fixture.ts';
import { type HostEnds, prefixAround } from './host-ends.ts';
import type { Reply } from './listing.ts';

const [, self] = own;
const [[, device]] = devices;
const peer = '100.64.0.9';
const [client, remoteHost, container, lanHost, pod] = [
  '198.51.100.7',
  '10.9.0.5',
  '172.17.0.2',
  '192.168.7.20',
  '10.42.3.4',
];
const router = '192.168.7.1';
const external = '203.0.113.5';

function lan(id: string, prefix: string, local = prefix): LanEntry {
  const of = { network_id: networkId, subnet_id: id, handle: 'test', source_nat: false };
  return { kind: 'lan', key: `lan/${id}`, ...of, prefix, local_prefix: local };
}

const around: readonly EntryValue[] = [
  lan('plain', '192.168.7.0/24'),
  lan('slice', '10.42.3.0/24'),
  {
    ...{
      kind: 'pods',
      key: `pods/${networkId}`,
      network_id: networkId,
      handle: 'test',
      prefix: '10.42.0.0/16',
    },
    ...{ interface: 'wg-test', next_hops: '100.64.0.0/18' },
  },
  {
    ...{ kind: 'subnet', key: 'subnet/far', network_id: networkId, subnet_id: 'far', prefix: '10.9.0.0/24' },
    ...{ peer_id: 'p', next_hop: peer, preference: 100, by: [{ interface: 'wg-test', public_key: 'k' }] },
  },
];
const translated = lan('site', '10.7.0.0/24', '192.168.1.0/24');
const bridged: HostEnds = {
  addresses: new Set([router, external]),
  hasBridges: true,
  bridged: ['172.17.0.0/16'],
};
const plain: HostEnds = { ...bridged, hasBridges: false, bridged: [] };

type Evaluated = readonly [direction: EvaluatedPacket['direction'], source: string, destination: string];

interface Way {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly reply?: Partial<Reply>;
  /** Where rules are evaluated, by the port that the connection was opened to unless it says otherwise. */
  readonly evaluated: readonly Evaluated[];
  readonly port?: number;
  readonly host?: HostEnds;
  readonly more?: readonly EntryValue[];
}

const ways: readonly Way[] = [
  { name: 'peer to LAN', source: peer, destination: lanHost, evaluated: [['ingress', peer, lanHost]] },
  { name: 'LAN to peer', source: lanHost, destination: peer, evaluated: [['egress', lanHost, peer]] },
  {
    name: 'LAN to a device of this hub',
    ...{ source: lanHost, destination: device },
    evaluated: [
      ['egress', lanHost, device],
      ['ingress', lanHost, device],
    ],
  },
  {
    name: 'another LAN to this one',
    ...{ source: remoteHost, destination: lanHost },
    evaluated: [['ingress', remoteHost, lanHost]],
  },
  {
    name: 'peer to a LAN that answers to this machine',
    ...{ source: peer, destination: lanHost, reply: { destination: router } },
    evaluated: [['ingress', peer, lanHost]],
  },
  {
    name: 'peer to a translated LAN',
    ...{ source: peer, destination: '10.7.0.20', reply: { source: '192.168.1.20' }, more: [translated] },
    evaluated: [['ingress', peer, '10.7.0.20']],
  },
  {
    name: 'translated LAN to another LAN',
    ...{ source: '192.168.1.20', destination: remoteHost, reply: { destination: '10.7.0.20' } },
    more: [translated],
    evaluated: [['egress', '10.7.0.20', remoteHost]],
  },
  { name: 'pod to peer', source: pod, destination: peer, evaluated: [['egress', pod, peer]] },
  { name: 'pod to this machine', source: pod, destination: self, evaluated: [['ingress', pod, self]] },
  {
    name: 'pod to a service that is led to a pod of another node',
    ...{ source: pod, destination: '10.43.0.1', reply: { source: '10.42.8.8', sourcePort: portNumbered(9) } },
    port: portNumbered(9),
    evaluated: [['egress', pod, '10.42.8.8']],
  },
  {
    name: 'container to peer',
    ...{ source: container, destination: peer, reply: { destination: self }, host: bridged },
    evaluated: [['egress', self, peer]],
  },
  {
    name: 'container to a LAN of another peer',
    ...{ source: container, destination: remoteHost, reply: { destination: self }, host: bridged },
    evaluated: [['egress', self, remoteHost]],
  },
  {
    name: 'peer to a published port of a container',
    ...{ source: peer, destination: self, reply: { source: container, sourcePort: 80 }, host: bridged },
    evaluated: [['ingress', peer, self]],
  },
  {
    name: 'this machine by another address to peer',
    ...{ source: external, destination: peer },
    evaluated: [['egress', external, peer]],
  },
  { name: 'LAN to the Internet', source: lanHost, destination: client, evaluated: [] },
  { name: 'LAN to LAN', source: lanHost, destination: '192.168.7.30', evaluated: [] },
  { name: 'this machine to its LAN', source: self, destination: lanHost, evaluated: [] },
  { name: 'peer to peer', source: peer, destination: '100.64.0.10', evaluated: [] },
];

/** Those of the network, and some about hosts that are not in it. */
const rulesAround: fc.Arbitrary<NetworkRules> = fc
  .record({
    networkRules: randomNetworkRules(12),
    more: fc.array(
      fc.record({
        direction: fc.constantFrom('ingress', 'egress', 'both'),
        action: fc.constantFrom('accept', 'drop', 'reject'),
        cidr: fc.constantFrom(
          '192.168.7.0/24',
          '10.7.0.0/24',
          '10.42.0.0/16',
          '10.9.0.0/24',
          '172.17.0.0/16',
        ),
        isSource: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ networkRules, more }) => ({
    ...networkRules,
    rules: [
      ...networkRules.rules,
      ...more.map(({ direction, action, cidr, isSource }, i): RuleEntry => {
        const side = { kind: 'cidr', cidr } as const;
        const all = { kind: 'all' } as const;
        const sides = isSource ? { from: side, to: all } : { from: all, to: side };
        const of = { kind: 'rule', network_id: networkId, rule_id: `more-${i}` } as const;
        return { ...of, direction, action, ...sides, protocol: 'any', ports: null };
      }),
    ],
  }));

describe('connections of hosts behind this machine', () => {
  it.each(ways)('from $name are allowed as their first packets are [9.35]', (way) => {
    const { source, destination, reply, evaluated, host = plain, more = [] } = way;
    const ports = fc.integer({ min: 1, max: 18 }).map(portNumbered);
    fc.assert(
      fc.property(rulesAround, ports, fc.constantFrom('tcp', 'udp'), (networkRules, opened, protocol) => {
        const document = nodeDocumentOf(entriesOf(networkRules), around, more);
        const allowed = new AllowedConnections(document, host);
        const port = way.port ?? opened;
        const wanted = evaluated.every(
          ([direction, from, to]) =>
            evaluate({ direction, source: from, destination: to, protocol, port }, networkRules).verdict ===
            'accept',
        );
        const ends = { source, destination, protocol, destinationPort: opened };
        expect(allowed.allows(connection(ends, reply))).toBe(wanted);
      }),
    );
  });

  it('end where nothing behind this machine is in the network any more [9.35]', () => {
    const open = entriesOf({ rules: [], members: [], defaultPolicy: 'accept' });
    const allows = (source: string, destination: string, reply: Partial<Reply> = {}, host = plain) =>
      new AllowedConnections(nodeDocumentOf(open), host).allows(
        connection({ source, destination, protocol: 'tcp', destinationPort: 443 }, reply),
      );
    expect(allows(lanHost, peer)).toBe(false);
    expect(allows(peer, lanHost)).toBe(false);
    expect(allows(peer, self, { source: container })).toBe(false);
    // A host behind a bridge has the address of this machine, or none.
    expect(allows(container, peer, {}, bridged)).toBe(false);
    expect(allows(container, peer, { destination: self }, bridged)).toBe(true);
  });
});

describe('connections through port mappings', () => {
  const open = entriesOf({ rules: [], members: [], defaultPolicy: 'accept' });
  const mapping = mappingEntry(1, { external_address: external, target_address: peer, source_address: self });
  const through = connection(
    { source: client, destination: external, protocol: 'tcp', destinationPort: 8001 },
    { source: peer, destination: self, sourcePort: 80 },
  );
  const allows = (mappings: readonly EntryValue[], one = through) =>
    new AllowedConnections(nodeDocumentOf(open, mappings), plain).allows(one);

  test.each<readonly [name: string, mappings: readonly EntryValue[], isAllowed: boolean]>([
    ['go on while the mapping is there', [mapping], true],
    ['end with it', [], false],
    ['end when it leads elsewhere', [{ ...mapping, target_address: '100.64.0.10' }], false],
    ['end when it leads to another port', [{ ...mapping, target_port: 81 }], false],
    ['end when it has another protocol', [{ ...mapping, protocol: 'udp' }], false],
    ['end when it has another port outside', [{ ...mapping, external_port: 9000 }], false],
    ['end when their source is no longer in it', [{ ...mapping, source_cidrs: ['198.51.100.8/29'] }], false],
    ['end when it is for another family', [{ ...mapping, source_cidrs: ['2001:db8::/32'] }], false],
    ['go on when their source is in it', [{ ...mapping, source_cidrs: ['198.51.100.0/29'] }], true],
  ])('%s [9.35]', (_, mappings, isAllowed) => {
    expect(allows(mappings)).toBe(isAllowed);
    const before = nodeDocumentOf(open, [mapping]);
    const after = nodeDocumentOf(open, mappings);
    expect(isSameAboutConnections(before, after)).toBe(mappings[0] === mapping);
  });

  it('end where they lead to this machine itself [9.35]', () => {
    const ends = { source: client, destination: external, protocol: 'tcp', destinationPort: 8001 };
    const toSelf = connection(ends, { source: self, sourcePort: 80 });
    expect(allows([{ ...mapping, target_address: self }], toSelf)).toBe(true);
    expect(allows([], toSelf)).toBe(false);
  });

  it('are no others that something on this machine translates [9.35]', () => {
    const ends = { source: router, destination: '10.43.0.1', protocol: 'tcp', destinationPort: 443 };
    expect(allows([], connection(ends, { source: peer, destination: self, sourcePort: 6443 }))).toBe(true);
    const published = { source: client, destination: external, protocol: 'tcp', destinationPort: 80 };
    expect(allows([], connection(published, { source: container, sourcePort: 80 }))).toBe(true);
  });
});

test('the prefix of a bridge is that of its address [9.35]', () => {
  expect(prefixAround('172.17.0.1/16')).toBe('172.17.0.0/16');
  expect(prefixAround('fd00:17::1/64')).toBe('fd00:17::/64');
  expect(prefixAround('bridge')).toBeNull();
});

test('addresses outside of every network are none of this node’s to end [9.35]', () => {
  const drop = entriesOf({ rules: [], members: [], defaultPolicy: 'drop' });
  const allowed = new AllowedConnections(nodeDocumentOf(drop, around), noHostEnds);
  const ends = { protocol: 'tcp', destinationPort: 22 };
  expect(allowed.allows(connection({ source: client, destination: external, ...ends }))).toBe(true);
});
