// Which connections are listed: all that rules can be about, and of hosts behind this machine none that lead elsewhere.
// The model looks at the addresses of one connection; what conntrack prints is what its arguments say (conntrack(8)).
import {
  entriesOf,
  held,
  networkId,
  others,
  own,
  randomNetworkRules,
} from '@powernode/core/compile/firewall/random-rules.fixture';
import { rematchCoversMax } from '@powernode/core/limits/agent';
import { familyOf, parseAddress } from '@powernode/core/net/address';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AllowedConnections } from './allowed.ts';
import { connection, noHostEnds } from './connections.fixture.ts';
import { type Connection, listingsOf } from './listing.ts';

const lans = ['192.168.7.0/24', 'fd00:7::/64', '10.42.3.0/24', '10.7.0.0/24', '192.168.1.0/24'];
const remote = ['10.9.0.0/24', 'fd00:9::/64', '10.42.0.0/16'];
const overlays = ['fd00:99::/64', '100.64.0.0/18'];

const lan = (prefix: string, local = prefix): EntryValue => ({
  ...{ kind: 'lan', key: `lan/${prefix}`, network_id: networkId, subnet_id: prefix, handle: 'test' },
  ...{ prefix, local_prefix: local, source_nat: false },
});
const subnet = (prefix: string): EntryValue => ({
  ...{ kind: 'subnet', key: `subnet/${prefix}`, network_id: networkId, subnet_id: prefix, prefix },
  ...{ peer_id: 'p', next_hop: '100.64.0.9', preference: 100 },
  by: [{ interface: 'wg-test', public_key: 'k' }],
});
const virtualIp: EntryValue = {
  ...{ kind: 'virtual_ip', network_id: networkId, virtual_ip_id: 'v', interface: 'wg-test' },
  ...{ addresses: [`${held[0]}/128`, `${held[1]}/32`], epoch: 1, lease: null },
};
const around: readonly EntryValue[] = [
  virtualIp,
  ...lans.slice(0, 3).map((prefix) => lan(prefix)),
  lan('10.7.0.0/24', '192.168.1.0/24'),
  ...remote.slice(0, 2).map(subnet),
  {
    ...{ kind: 'pods', key: 'pods/n', network_id: networkId, handle: 'test', prefix: '10.42.0.0/16' },
    ...{ interface: 'wg-test', next_hops: '100.64.0.0/18' },
  },
];

const isIn = (address: string, prefixes: readonly string[]) =>
  prefixes.some((text) => {
    const [prefix, one] = [parsePrefix(text), parseAddress(address)];
    return prefix !== null && one !== null && contains(prefix, one);
  });

const four = ['192.168.7.20', '192.168.1.20', '10.7.0.20', '10.42.3.4', '10.42.8.8', '10.9.0.5', '10.43.0.1'];
const addresses = {
  4: [...four, own[1], held[1], others[0]?.[1] ?? '', '198.51.100.7', '203.0.113.5', '172.17.0.2'],
  6: ['fd00:7::20', 'fd00:9::5', own[0], held[0], others[0]?.[0] ?? '', '2001:db8::7', 'fd00:43::1'],
};

/** Some are translated. */
const randomConnection: fc.Arbitrary<Connection> = fc.constantFrom(4, 6).chain((family) => {
  const address = fc.constantFrom(...addresses[family]);
  return fc
    .record({
      source: address,
      destination: address,
      sentFrom: fc.option(address, { freq: 2 }),
      sentTo: fc.option(address, { freq: 2 }),
    })
    .map(({ source, destination, sentFrom, sentTo }) =>
      connection(
        { source, destination, protocol: 'tcp', destinationPort: 21_001 },
        { source: sentTo ?? destination, destination: sentFrom ?? source },
      ),
    );
});

/** Whether conntrack prints it. */
function isPrinted(args: readonly string[], { source, destination, reply }: Connection): boolean {
  const [list, output, extended, option, family, ...filter] = args;
  expect([list, output, extended, option]).toEqual(['-L', '-o', 'extended', '-f']);
  const tests: Readonly<Record<string, (value: string) => boolean>> = {
    '-s': (value) => isIn(source, [value]),
    '-d': (value) => isIn(destination, [value]),
    '-q': (value) => reply.destination === value,
    '-r': (value) => reply.source === value,
    '--dst-nat': () => reply.source !== destination,
  };
  let isMeant = family === `ipv${familyOf(source)}`;
  for (let i = 0; i < filter.length; i += 2) {
    const test = tests[filter[i] ?? ''];
    if (test === undefined) throw new Error(`not modelled: ${filter[i]}`);
    isMeant &&= test(filter[i + 1] ?? '');
  }
  return isMeant;
}

function isListed(allowed: AllowedConnections, one: Connection): boolean {
  return listingsOf(allowed.ends).some(({ command }) => isPrinted(command.args, one));
}

/** The naive definition: between an overlay and anything, or what is behind this machine and what networks lead to. */
function isConcerned({ source, destination, reply }: Connection): boolean {
  const reached = [...overlays, ...remote];
  return (
    isIn(source, overlays) ||
    isIn(destination, overlays) ||
    (isIn(source, lans) && isIn(destination, reached)) ||
    (isIn(source, reached) && isIn(destination, lans)) ||
    (isIn(source, lans) && reply.source !== destination) ||
    (own as readonly string[]).includes(reply.destination) ||
    ([...own, ...held] as readonly string[]).includes(reply.source)
  );
}

describe('listed connections', () => {
  it('are those of an overlay, and of hosts behind this machine with what networks lead to [9.35]', () => {
    const open = entriesOf({ rules: [], members: [], defaultPolicy: 'accept' });
    const allowed = new AllowedConnections(nodeDocumentOf(open, around), noHostEnds);
    fc.assert(
      fc.property(randomConnection, (one) => {
        expect({ one, isListed: isListed(allowed, one) }).toEqual({ one, isListed: isConcerned(one) });
      }),
    );
  });

  it('are all of hosts behind this machine that rules deny [9.35]', () => {
    const fromLan = randomConnection.filter(
      ({ source, destination, reply }) =>
        isIn(source, lans) || (isIn(destination, lans) && reply.source === destination),
    );
    const drawn = fc.array(fromLan, { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(randomNetworkRules(8), drawn, (networkRules, connections) => {
        const document = nodeDocumentOf(entriesOf(networkRules), around);
        const allowed = new AllowedConnections(document, noHostEnds);
        for (const one of connections) {
          if (!allowed.allows(one))
            expect({ one, isListed: isListed(allowed, one) }).toMatchObject({ isListed: true });
        }
      }),
    );
  });

  it('are asked for by few commands also where very many prefixes are reached [9.35]', () => {
    const open = entriesOf({ rules: [], members: [], defaultPolicy: 'accept' });
    const many = Array.from({ length: 4096 }, (_, i) => subnet(`10.${100 + (i >> 8)}.${i & 255}.0/24`));
    const document = nodeDocumentOf(open, around, many);
    const listings = listingsOf(new AllowedConnections(document, noHostEnds).ends);
    expect(listings.length).toBeLessThan(2 * lans.length * (rematchCoversMax + 1) + 20);
    const allowed = new AllowedConnections(document, noHostEnds);
    const to = (destination: string) =>
      isListed(
        allowed,
        connection({ source: '192.168.7.20', destination, protocol: 'udp', destinationPort: 53 }),
      );
    expect([to('10.100.0.9'), to('10.115.255.9'), to('10.9.0.9')]).toEqual([true, true, true]);
    expect([to('198.51.100.7'), to('192.168.9.9'), to('172.17.0.2')]).toEqual([false, false, false]);
  });
});
