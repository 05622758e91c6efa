// What is taken for a document: everything that the platform makes, and nothing that could mean something else to nft,
// ip or wg.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../net/address.ts';
import { type EntryValue, entryValue } from './document.ts';
import { address, addressWithLength } from './texts.ts';

const id = '01890000-0000-7000-8000-00000000aaaa';
const key = `${'A'.repeat(43)}=`;
const network = { network_id: id } as const;

/** One of each kind. */
const entries: readonly EntryValue[] = [
  {
    ...network,
    kind: 'interface',
    name: 'wg-berlin12-3',
    peer_id: id,
    purpose: 'transit',
    public_key: key,
    listen_port: 0,
    mtu: 1420,
    addresses: ['fd00::100/128', '100.64.0.1/32'],
    probe_addresses: ['fd00::1:100/128'],
  },
  {
    kind: 'peer',
    interface: 'wg-berlin12',
    peer_id: id,
    public_key: key,
    endpoint: '[2001:db8::5]:51820',
    allowed_ips: ['::/0', '0.0.0.0/0'],
    keepalive: 25,
  },
  { ...network, kind: 'route', destination: 'fd00::/64', via: ['wg-berlin12-1', 'wg-berlin12-2'] },
  { ...network, kind: 'forwarding', handle: 'berlin12' },
  {
    ...network,
    kind: 'probe',
    interface: 'wg-berlin12-1',
    public_key: key,
    purpose: 'path',
    target: 'fd00::1',
  },
  { ...network, kind: 'watch', virtual_ip_id: id, peer_id: id, address: 'fd00::1' },
  {
    ...network,
    kind: 'virtual_ip',
    virtual_ip_id: id,
    interface: 'wg-berlin12',
    addresses: ['fd00::f/128'],
    epoch: 3,
    lease: { witnesses: ['fd00::1'], enough: 1 },
  },
  {
    ...network,
    kind: 'anycast',
    virtual_ip_id: id,
    destinations: ['fd00::e/128'],
    by: [{ interface: 'wg-berlin12', public_key: key }],
  },
  {
    ...network,
    kind: 'firewall',
    handle: 'berlin12',
    prefixes: ['fd00::/64'],
    default_policy: 'drop',
    rematch: true,
  },
  {
    ...network,
    kind: 'rule',
    rule_id: id,
    direction: 'both',
    action: 'accept',
    from: { kind: 'host', addresses: ['fd00::1'] },
    to: { kind: 'group', group: 'env:prod_1' },
    protocol: 'tcp',
    ports: [1, 65535],
  },
  {
    ...network,
    kind: 'rule',
    rule_id: id,
    direction: 'both',
    action: 'drop',
    from: { kind: 'cidr', cidr: '2001:db8::/32' },
    to: { kind: 'all' },
    protocol: 'any',
    ports: null,
  },
  { ...network, kind: 'member', group: 'env:prod_1', addresses: ['fd00::1', '100.64.0.1'] },
  { ...network, kind: 'device', user_device_id: id, addresses: ['fd00::2'] },
  {
    ...network,
    kind: 'port_mapping',
    port_mapping_id: id,
    external_address: '203.0.113.1',
    external_port: 443,
    protocol: 'tcp',
    target_address: '100.64.0.2',
    target_port: 8443,
    source_cidrs: ['198.51.100.0/24'],
    rate_limit: 10,
    max_connections: 100,
    source_address: '100.64.0.1',
  },
];

type Path = readonly (string | number)[];

/** Every text in a value but for those of which there is a list, with where it stands. */
function textsOf(value: unknown, path: Path = []): { readonly path: Path; readonly text: string }[] {
  const isOfList = ['kind', 'purpose', 'direction', 'action', 'protocol', 'default_policy'].includes(
    String(path.at(-1)),
  );
  if (typeof value === 'string') return isOfList ? [] : [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    textsOf(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[first] = replaced(copy[first], rest, by);
  return copy;
}

test.each(entries.map((entry) => [entry.kind, entry] as const))(
  'an entry of kind %s is taken',
  (_kind, entry) => {
    expect(entryValue.parse(entry)).toEqual(entry);
  },
);

test('a text that would end what it stands in is refused, with where it stands', () => {
  let count = 0;
  for (const entry of entries) {
    for (const { path, text } of textsOf(entry)) {
      for (const hostile of ['', `${text} }`, `${text}\n`, `${text};`, `"${text}`, `${text}\\`, `${text},`]) {
        const result = entryValue.safeParse(replaced(entry, path, hostile));
        expect(result.success, `${path.join('.')} ${JSON.stringify(hostile)}`).toBe(false);
        expect(result.error?.issues.map((issue) => issue.path)).toContainEqual(path);
        count++;
      }
    }
  }
  expect(count).toBeGreaterThan(250);
});

test.each([
  ['listen_port', [-1, 65_536]],
  ['mtu', [1279, 100_000]],
  ['external_port', [0, 65_536, 1.5]],
  ['target_port', [0, 65_536]],
  ['rate_limit', [0, -1]],
  ['max_connections', [0]],
  [
    'ports',
    [
      [0, 80],
      [80, 65_536],
    ],
  ],
] as const)('%s has bounds', (name, values) => {
  const entry = entries.find((one) => name in one && one[name as never] !== null);
  for (const value of values) expect(entryValue.safeParse({ ...entry, [name]: value }).success).toBe(false);
});

describe('addresses', () => {
  const ipv6 = fc
    .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((bits, one) => (bits << 16n) | BigInt(one), 0n))
    .map((bits) => formatAddress({ family: 6, bits }));
  const ipv4 = fc.nat(0xffffffff).map((bits) => formatAddress({ family: 4, bits: BigInt(bits) }));

  test('are taken as the platform spells them, with their length or without', () => {
    fc.assert(
      fc.property(fc.oneof(ipv6, ipv4), fc.nat(140), (text, length) => {
        expect(address.safeParse(text).success).toBe(true);
        const isInRange = length <= (text.includes(':') ? 128 : 32);
        expect(addressWithLength.safeParse(`${text}/${length}`).success).toBe(isInRange);
        expect(addressWithLength.safeParse(text).success).toBe(false);
        expect(address.safeParse(`${text}/${length}`).success).toBe(false);
      }),
    );
  });

  test('are those that can be read as such', () => {
    const piece = fc.constantFrom(':', '::', '.', '0', '1', 'f', '255', '256', '01', 'fd00', '12345', 'g');
    const text = fc.oneof(
      fc.array(piece, { maxLength: 17 }).map((pieces) => pieces.join('')),
      fc.array(fc.constantFrom('0', 'fd00', '1', ''), { maxLength: 10 }).map((groups) => groups.join(':')),
      fc
        .array(fc.constantFrom('0', '9', '255', '256', '01', ''), { maxLength: 5 })
        .map((one) => one.join('.')),
    );
    fc.assert(
      fc.property(text, (spelt) => {
        // The platform writes no IPv6 address with an IPv4 address in it.
        const isRead = parseAddress(spelt) !== null && !(spelt.includes(':') && spelt.includes('.'));
        expect(address.safeParse(spelt).success).toBe(isRead);
      }),
      { numRuns: 5_000 },
    );
  });
});
