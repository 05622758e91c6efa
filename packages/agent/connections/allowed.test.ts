// Which connections rules allow: the same as the definition says of their first packets.
import {
  devices,
  entriesOf,
  held,
  networkId,
  own,
  randomNetworkRules,
  randomPacket,
} from '@powernode/core/compile/firewall/random-rules.fixture';
import { type EvaluatedPacket, evaluate } from '@powernode/core/explain/evaluate';
import { probePort } from '@powernode/core/limits/probe';
import { familyOf } from '@powernode/core/net/address';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AllowedConnections } from './allowed.ts';
import { connection, noHostEnds } from './connections.fixture.ts';
import { type Connection, listingsOf, markCommands, readConnections } from './listing.ts';

const localPairs = [own, held, ...devices];
const virtualIp: EntryValue = {
  kind: 'virtual_ip',
  network_id: networkId,
  virtual_ip_id: 'v',
  interface: 'wg-test',
  addresses: [`${held[0]}/128`, `${held[1]}/32`],
  epoch: 1,
  lease: null,
};

function connectionOf({ source, destination, protocol, port }: EvaluatedPacket): Connection {
  const icmp = familyOf(source) === 6 ? 'icmpv6' : 'icmp';
  const named = protocol === 'icmp6' ? icmp : protocol;
  return connection({ source, destination, protocol: named, destinationPort: port });
}

describe('allowed connections', () => {
  it('are those whose first packets every end here accepts [9.35]', () => {
    const packets = fc.array(fc.oneof(randomPacket(localPairs), randomPacket(devices, [own, ...devices])), {
      minLength: 30,
      maxLength: 30,
    });
    fc.assert(
      fc.property(randomNetworkRules(20), packets, (networkRules, drawn) => {
        const allowed = new AllowedConnections(
          nodeDocumentOf(entriesOf(networkRules), [virtualIp]),
          noHostEnds,
        );
        const isLocal = (address: string) =>
          localPairs.some((pair) => (pair as readonly string[]).includes(address));
        for (const packet of drawn) {
          const accepts = (direction: EvaluatedPacket['direction'], end: string) =>
            !isLocal(end) || evaluate({ ...packet, direction }, networkRules).verdict === 'accept';
          const wanted = accepts('egress', packet.source) && accepts('ingress', packet.destination);
          expect({ packet, allowed: allowed.allows(connectionOf(packet)) }).toEqual({
            packet,
            allowed: wanted,
          });
        }
      }),
    );
  });

  it('include probes, what other networks carry, and all of a network that does not ask [9.35]', () => {
    const drop = entriesOf({ rules: [], members: [], defaultPolicy: 'drop' });
    const asked = { protocol: 'udp', destinationPort: 53 } as const;
    const fromFar = { ...asked, source: 'fd00:99::108', destination: own[0] };
    const allowed = new AllowedConnections(nodeDocumentOf(drop), noHostEnds);
    expect(allowed.allows(connection(fromFar))).toBe(false);
    const probe = { ...fromFar, destination: 'fd00:99::fe01:0:0:101', destinationPort: probePort };
    expect(allowed.allows(connection(probe))).toBe(true);
    expect(allowed.allows(connection({ ...asked, source: '192.0.2.1', destination: '198.51.100.1' }))).toBe(
      true,
    );
    const quiet = drop.map((entry) => (entry.kind === 'firewall' ? { ...entry, rematch: false } : entry));
    const all = new AllowedConnections(nodeDocumentOf(quiet), noHostEnds);
    expect(all.allows(connection(fromFar))).toBe(true);
    expect(listingsOf(all.ends)).toEqual([]);
  });
});

describe('the connection table', () => {
  const tcp =
    'ipv6     10 tcp      6 431999 ESTABLISHED src=fd00:99::108 dst=fd00:99::101 sport=40871 dport=443 src=fd00:99::101 dst=fd00:99::108 sport=443 dport=40871 [ASSURED] mark=134217731 use=1';
  const icmp =
    'ipv4     2 icmp     1 29 src=100.64.0.8 dst=100.64.0.1 type=8 code=0 id=5857 src=100.64.0.1 dst=100.64.0.8 type=0 code=0 id=5857 mark=0 use=1';
  const gre =
    'ipv4     2 unknown  47 599 src=100.64.0.8 dst=100.64.0.1 [UNREPLIED] src=100.64.0.1 dst=100.64.0.8 mark=0 use=1';
  const translated =
    'ipv4     2 udp      17 29 src=100.64.0.8 dst=100.64.0.1 sport=5 dport=53 src=10.0.0.1 dst=100.64.0.8 sport=53 dport=5 mark=0 use=1';

  const direct = (source: string, destination: string, sourcePort: number | null) => ({
    source,
    destination,
    sourcePort,
  });

  it('is read line by line, and a line of another form is left out [9.35]', () => {
    const text = [tcp, icmp, gre, translated, 'nonsense', 'ipv6 10 tcp 6 src=x dst=y', ''].join('\n');
    expect(readConnections(text)).toEqual([
      {
        source: 'fd00:99::108',
        destination: 'fd00:99::101',
        protocol: 'tcp',
        destinationPort: 443,
        tuple: 'tcp src=fd00:99::108 dst=fd00:99::101 sport=40871 dport=443',
        reply: direct('fd00:99::101', 'fd00:99::108', 443),
        isEnded: true,
      },
      {
        source: '100.64.0.8',
        destination: '100.64.0.1',
        protocol: 'icmp',
        destinationPort: null,
        tuple: 'icmp src=100.64.0.8 dst=100.64.0.1 type=8 code=0 id=5857',
        reply: direct('100.64.0.1', '100.64.0.8', null),
        isEnded: false,
      },
      {
        source: '100.64.0.8',
        destination: '100.64.0.1',
        protocol: '47',
        destinationPort: null,
        tuple: '47 src=100.64.0.8 dst=100.64.0.1',
        reply: direct('100.64.0.1', '100.64.0.8', null),
        isEnded: false,
      },
      {
        source: '100.64.0.8',
        destination: '100.64.0.1',
        protocol: 'udp',
        destinationPort: 53,
        tuple: 'udp src=100.64.0.8 dst=100.64.0.1 sport=5 dport=53',
        reply: direct('10.0.0.1', '100.64.0.8', 53),
        isEnded: false,
      },
    ]);
  });

  it('is changed once for all connections that rules cannot tell apart [9.35]', () => {
    const connections = readConnections([tcp, tcp.replaceAll('40871', '40872')].join('\n'));
    const [command, ...rest] = markCommands(connections, 'ended').map(({ program, args }) =>
      [program, ...args].join(' '),
    );
    expect(rest).toEqual([]);
    expect(command).toBe(
      'conntrack -U -f ipv6 -p tcp -s fd00:99::108 -d fd00:99::101 --dport 443 -r fd00:99::101 -q fd00:99::108 --reply-port-src 443 --mark 0x8000000/0x8000000',
    );
  });

  it('is changed apart for connections that are translated, and those of the same ends that are not [9.35]', () => {
    const plain = translated.replace('src=10.0.0.1', 'src=100.64.0.1');
    const filters = [plain, translated, icmp, gre].map((line) => {
      const [command, ...rest] = markCommands(readConnections(line), 'open');
      expect(rest).toEqual([]);
      return command?.args.join(' ');
    });
    const ends = '-s 100.64.0.8 -d 100.64.0.1';
    expect(filters).toEqual([
      `-U -f ipv4 -p udp ${ends} --dport 53 -r 100.64.0.1 -q 100.64.0.8 --reply-port-src 53 --mark 0x0/0x8000000`,
      `-U -f ipv4 -p udp ${ends} --dport 53 -r 10.0.0.1 -q 100.64.0.8 --reply-port-src 53 --mark 0x0/0x8000000`,
      `-U -f ipv4 -p icmp ${ends} -r 100.64.0.1 -q 100.64.0.8 --mark 0x0/0x8000000`,
      `-U -f ipv4 -p 47 ${ends} -r 100.64.0.1 -q 100.64.0.8 --mark 0x0/0x8000000`,
    ]);
  });

  it('is changed apart for connections that are translated in different ways [9.35]', () => {
    const lines = [
      translated,
      translated.replaceAll('sport=5 ', 'sport=6 '),
      translated.replace('10.0.0.1', '10.0.0.2'),
    ];
    const commands = markCommands(readConnections(lines.join('\n')), 'ended');
    expect(commands.map(({ args }) => args.slice(9, -2).join(' '))).toEqual([
      '--dport 53 -r 10.0.0.1 -q 100.64.0.8 --reply-port-src 53',
      '--dport 53 -r 10.0.0.2 -q 100.64.0.8 --reply-port-src 53',
    ]);
  });

  it('is listed by prefixes, and by this machine’s own addresses where they are translated to these [9.35]', () => {
    const open = entriesOf({ rules: [], members: [], defaultPolicy: 'accept' });
    const { ends } = new AllowedConnections(nodeDocumentOf(open, [virtualIp]), noHostEnds);
    expect(listingsOf(ends).map(({ command: { args } }) => args.slice(4).join(' '))).toEqual([
      'ipv4 -s 100.64.0.0/18',
      'ipv4 -d 100.64.0.0/18',
      'ipv6 -s fd00:99::/64',
      'ipv6 -d fd00:99::/64',
      `ipv6 -q ${own[0]}`,
      `ipv4 -q ${own[1]}`,
      `ipv6 -r ${own[0]}`,
      `ipv4 -r ${own[1]}`,
      `ipv6 -r ${held[0]}`,
      `ipv4 -r ${held[1]}`,
    ]);
  });

  it('is listed by pairs of prefixes where hosts are behind this machine [9.35]', () => {
    const open = entriesOf({ rules: [], members: [], defaultPolicy: 'accept' });
    const of = { network_id: networkId, subnet_id: 's', handle: 'test', source_nat: false } as const;
    const lan: EntryValue = {
      ...{ kind: 'lan', key: 'lan/s', ...of, prefix: '192.168.7.0/24', local_prefix: '192.168.7.0/24' },
    };
    const remote: EntryValue = {
      ...{ kind: 'subnet', key: 'subnet/r', network_id: networkId, subnet_id: 'r', prefix: '10.9.0.0/24' },
      ...{ peer_id: 'p', next_hop: '100.64.0.9', preference: 100 },
      by: [{ interface: 'wg-test', public_key: 'k' }],
    };
    const { ends } = new AllowedConnections(nodeDocumentOf(open, [lan, remote]), noHostEnds);
    const listed = listingsOf(ends).map(({ which, command: { args } }) => [which, args.slice(4).join(' ')]);
    expect(listed.filter(([, args]) => args?.includes('192.168.7.0/24'))).toEqual([
      ['from 192.168.7.0/24 to 10.9.0.0/24', 'ipv4 -s 192.168.7.0/24 -d 10.9.0.0/24'],
      ['from 10.9.0.0/24 to 192.168.7.0/24', 'ipv4 -s 10.9.0.0/24 -d 192.168.7.0/24'],
      ['from 192.168.7.0/24 to 100.64.0.0/18', 'ipv4 -s 192.168.7.0/24 -d 100.64.0.0/18'],
      ['from 100.64.0.0/18 to 192.168.7.0/24', 'ipv4 -s 100.64.0.0/18 -d 192.168.7.0/24'],
      ['from 192.168.7.0/24 with a translated destination', 'ipv4 -s 192.168.7.0/24 --dst-nat'],
    ]);
  });
});
