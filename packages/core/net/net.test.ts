// Addresses, prefixes and allocation: strict reading, RFC 5952 printing, and allocation against a simple model.
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostNumberFirst } from '../limits/overlay.ts';
import { canonicalAddress, formatAddress, formatEndpoint, parseAddress, parseEndpoint } from './address.ts';
import { allocateNetworkPrefix, hostAddressCandidates } from './allocate.ts';
import {
  canonicalPrefix,
  contains,
  coveringPrefixes,
  formatPrefix,
  hostMask,
  insideBlocks,
  isInsideBlock,
  overlaps,
  type Prefix,
  parsePrefix,
  withoutCovered,
} from './prefix.ts';
import { classifyAddress, endpointRefusal, isPubliclyRoutable, prefixesFrom } from './special-addresses.ts';

const bits128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
/** Half of the groups zero, so that compression is exercised. */
const sparse = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n));

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(text);
  return prefix;
}

describe('addresses', () => {
  test('are printed as RFC 5952 has it, and read back as the same number', () => {
    fc.assert(
      fc.property(fc.oneof(bits128, sparse), (bits) => {
        const text = formatAddress({ family: 6, bits });
        expect(isIP(text)).toBe(6);
        expect(text).toBe(text.toLowerCase());
        expect(text).not.toMatch(/(^|:)0[0-9a-f]/);
        expect(parseAddress(text)).toEqual({ family: 6, bits });
        // The URL parser serialises hosts by the same rules (WHATWG URL §3.5).
        expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['010.0.0.1'],
    ['0x7f.1'],
    ['10.1'],
    ['1.2.3.256'],
    ['fe80::1%eth0'],
    ['::1/128'],
    [' ::1'],
    [''],
    ['1::2::3'],
    ['12345::'],
    ['a.b.c.d'],
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('endpoints keep the brackets of IPv6 and nothing else', () => {
    for (const text of ['203.0.113.5:51820', '[2001:db8::5]:51820']) {
      const endpoint = parseEndpoint(text);
      expect(endpoint === null ? null : formatEndpoint(endpoint)).toBe(text);
    }
    for (const text of ['2001:db8::5:51820', '[203.0.113.5]:1', '203.0.113.5:0', '203.0.113.5:65536', ':1']) {
      expect(parseEndpoint(text)).toBeNull();
    }
  });

  test('canonical text is the same for every spelling', () => {
    expect(canonicalAddress('FD00:0:0::0001')).toBe('fd00::1');
    expect(canonicalPrefix('FD00:0:0:0::/64')).toBe('fd00::/64');
  });
});

describe('prefixes', () => {
  test('have no host bits', () => {
    expect(parsePrefix('fd00::1/64')).toBeNull();
    expect(parsePrefix('fd00::/129')).toBeNull();
    expect(parsePrefix('fd00::/064')).toBeNull();
  });

  test('overlap exactly when they share an address', () => {
    const prefix = fc.tuple(fc.nat(255), fc.integer({ min: 120, max: 128 })).map(([low, length]) => {
      const mask = (1n << BigInt(128 - length)) - 1n;
      return { family: 6 as const, bits: BigInt(low) & ~mask, length };
    });
    const addresses = (p: Prefix) =>
      Array.from({ length: 256 }, (_, i) => BigInt(i)).filter((bits) => contains(p, { family: 6, bits }));
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        const shared = addresses(a).some((bits) => addresses(b).includes(bits));
        expect(overlaps(a, b)).toBe(shared);
      }),
    );
  });

  test('private, shared, local and multicast addresses are not publicly routable', () => {
    const routable = (text: string) => {
      const address = parseAddress(text);
      return address !== null && isPubliclyRoutable(address);
    };
    for (const text of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '100.64.0.1',
      '127.0.0.1',
      'fd00::1',
      'fe80::1',
      '::1',
      'ff02::1',
      '224.0.0.1',
    ])
      expect(routable(text), text).toBe(false);
    for (const text of ['203.0.113.5', '172.32.0.1', '100.128.0.1', '2001:db8::1', '2a00::1'])
      expect(routable(text), text).toBe(true);
  });
});

describe('endpoints', () => {
  test('addresses that never name another machine are refused as endpoints [9.8]', () => {
    const refused: Record<string, string> = {
      '127.0.0.1': 'loopback',
      '127.255.255.254': 'loopback',
      '0.0.0.0': 'unspecified',
      '0.1.2.3': 'unspecified',
      '169.254.169.254': 'link_local',
      '192.0.0.1': 'reserved',
      '192.88.99.1': 'reserved',
      '224.0.0.1': 'multicast',
      '239.255.255.255': 'multicast',
      '240.0.0.1': 'reserved',
      '255.255.255.255': 'broadcast',
      '::': 'unspecified',
      '::1': 'loopback',
      '::7f00:1': 'reserved',
      '::ffff:7f00:1': 'ipv4_mapped',
      '::ffff:203.0.113.5': 'ipv4_mapped',
      '64:ff9b::7f00:1': 'translated',
      '64:ff9b:1::1': 'translated',
      '100::1': 'reserved',
      '2001::1': 'translated',
      '2001:20::1': 'reserved',
      '2002:7f00:1::': 'translated',
      '5f00::1': 'reserved',
      'fe80::1': 'link_local',
      'fec0::1': 'reserved',
      'ff02::1': 'multicast',
      '4000::1': 'reserved',
    };
    for (const [text, name] of Object.entries(refused)) {
      const address = parseAddress(text);
      expect(address === null ? null : classifyAddress(address), text).toBe(name);
      expect(endpointRefusal(text)?.code, text).toBe('special_address');
      const withPort = text.includes(':') ? `[${text}]:51820` : `${text}:51820`;
      expect(endpointRefusal(withPort)?.code, withPort).toBe('special_address');
    }
  });

  test('public, private, shared and documentation addresses can be endpoints [9.8]', () => {
    for (const text of [
      '203.0.113.5',
      '198.51.100.1',
      '198.18.200.1',
      '192.0.2.1',
      '8.8.8.8',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '2a00::1',
      '2001:db8::1',
      '3fff::1',
      'fd00::1',
    ])
      expect(endpointRefusal(text), text).toBeNull();
  });

  test('an address inside of an overlay is refused as an endpoint [9.8]', () => {
    const overlays = prefixesFrom(['fd00:1:2:3::/64', '100.64.0.0/18', null, 'no prefix']);
    for (const text of ['fd00:1:2:3::1', '[fd00:1:2:3::1]:51820', '100.64.0.1:51820'])
      expect(endpointRefusal(text, overlays)?.code, text).toBe('overlay_address');
    for (const text of ['fd00:1:2:4::1', '100.64.64.1:51820'])
      expect(endpointRefusal(text, overlays)).toBeNull();
  });
});

describe('prefixes that cover others', () => {
  const randomPrefix = fc
    .record({ family: fc.constantFrom(4, 6), bits: bits128, length: fc.nat(32), few: fc.boolean() })
    .map(({ family, bits, length, few }): Prefix => {
      const width = family === 4 ? 32n : 128n;
      // Few different ones, so that some are neighbours and some inside others.
      const drawn = (few ? bits & 7n : bits & 0xffn) << (width - 8n);
      const prefix: Prefix = { family, bits: drawn, length: few ? 8 : length };
      return { ...prefix, bits: drawn & ~hostMask(prefix) };
    });
  const texts = fc.array(randomPrefix.map(formatPrefix), { maxLength: 30 });

  test('are not more than asked for, do not overlap, and have all of them', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 8 }), (given, most) => {
        const covers = coveringPrefixes(given, most);
        for (const family of [4, 6])
          expect(covers.filter((text) => prefixOf(text).family === family).length).toBeLessThanOrEqual(most);
        for (const text of given)
          expect(covers.filter((cover) => contains(prefixOf(cover), prefixOf(text)))).toHaveLength(1);
        expect(withoutCovered(covers)).toEqual(covers.toSorted());
      }),
    );
  });

  test('are the same ones where they are few enough', () => {
    fc.assert(
      fc.property(texts, (given) => {
        expect(coveringPrefixes(given, 30).toSorted()).toEqual(withoutCovered(given));
      }),
    );
  });

  test('are joined where they have most in common', () => {
    const given = ['10.0.0.0/24', '10.0.1.0/24', '192.168.7.0/24', '192.168.9.0/24', 'fd00::/64'];
    expect(coveringPrefixes(given, 3)).toEqual([
      '10.0.0.0/23',
      '192.168.7.0/24',
      '192.168.9.0/24',
      'fd00::/64',
    ]);
    expect(coveringPrefixes(given, 2)).toEqual(['10.0.0.0/23', '192.168.0.0/20', 'fd00::/64']);
    expect(() => coveringPrefixes(given, 0)).toThrow(/not enough/);
    expect(() => coveringPrefixes(['10.0.0.1/24'], 2)).toThrow('not a prefix: 10.0.0.1/24');
  });

  test('stay in private space, one for each of its blocks, as long as there is one for each', () => {
    const inside = fc
      .record({ block: fc.constantFrom(...insideBlocks).map(prefixOf), bits: bits128, more: fc.nat(16) })
      .map(({ block, bits, more }) => {
        const length = block.length + more;
        const prefix: Prefix = { ...block, length };
        const width = block.family === 4 ? 32n : 128n;
        const drawn = block.bits | (bits & ((1n << width) - 1n) & hostMask(block));
        return formatPrefix({ ...prefix, bits: drawn & ~hostMask(prefix) });
      });
    fc.assert(
      fc.property(fc.array(inside, { maxLength: 60 }), fc.integer({ min: 4, max: 8 }), (given, most) => {
        expect(coveringPrefixes(given, most).map(prefixOf).every(isInsideBlock)).toBe(true);
      }),
    );
  });
});

describe('allocation', () => {
  test('gives the lowest /64 that nothing touches', () => {
    const pool = prefixOf('fd12:3456:789a::/48');
    const taken = ['fd12:3456:789a::/64', 'fd12:3456:789a:1::/64', 'fd12:3456:789a:2::/63', 'fd00::/64'];
    const free = allocateNetworkPrefix(pool, taken.map(prefixOf));
    expect(free === null ? null : formatPrefix(free)).toBe('fd12:3456:789a:4::/64');
  });

  test('never gives an address twice while it is taken, and climbs before it reuses', () => {
    const network = prefixOf('fd00:1::/64');
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (releases) => {
        const taken = new Set<bigint>();
        let highest: bigint | null = null;
        let last = 0n;
        for (const release of releases) {
          const free = ({ bits }: { readonly bits: bigint }) => !taken.has(bits);
          const address: { readonly bits: bigint } | undefined = hostAddressCandidates(network, highest).find(
            free,
          );
          if (address === undefined) throw new Error('a /64 ran out');
          expect(taken.has(address.bits)).toBe(false);
          expect(address.bits).toBeGreaterThan(last);
          last = address.bits;
          highest = address.bits - network.bits;
          if (!release) taken.add(address.bits);
        }
      }),
    );
  });

  test('comes back to freed addresses when the numbers have run through', () => {
    const small = prefixOf('fd00:1::/118');
    const lastNumber = 1023n;
    const free = network(small, hostNumberFirst + 5n);
    const candidates = Array.from(hostAddressCandidates(small, lastNumber), ({ bits }) => bits);
    expect(candidates[0]).toBe(network(small, hostNumberFirst));
    expect(candidates).toContain(free);
    expect(candidates.every((bits) => bits < network(small, lastNumber + 1n))).toBe(true);
  });
});

function network(prefix: Prefix, number: bigint): bigint {
  return prefix.bits + number;
}
