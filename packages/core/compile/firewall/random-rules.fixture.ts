// Test support: random rules, groups and packets of one network as one node has them. Few addresses, ports and groups,
// so that rules meet in all the ways in which they can.
import fc from 'fast-check';
import type { EvaluatedPacket, NetworkRules } from '../../explain/evaluate.ts';
import type { EntryValue, MemberEntry, RuleEntry, RuleSide } from '../../wire/document.ts';

export const networkId = '01890000-0000-7000-8000-00000000f00d';
export const handle = 'test';
export const prefixes = ['fd00:99::/64', '100.64.0.0/18'] as const;

/** Both addresses of each: of the node itself, of an address that it holds, of two devices, of others. */
export const own = ['fd00:99::101', '100.64.0.1'] as const;
export const held = ['fd00:99::111', '100.64.0.17'] as const;
export const devices = [
  ['fd00:99::106', '100.64.0.6'],
  ['fd00:99::107', '100.64.0.7'],
] as const;
export const others = Array.from(
  { length: 9 },
  (_, i) => [`fd00:99::1${(0x08 + i).toString(16).padStart(2, '0')}`, `100.64.0.${8 + i}`] as const,
);

const hosts = [own, held, ...devices, ...others];
const members = [own, ...devices, ...others];
const groups = ['web', 'db.1', 'site:a', 'x_y'] as const;
/** More than are looked up one by one. */
const manyGroups = [...groups, ...Array.from({ length: 20 }, (_, i) => `tag${i}`)];
const cidrs = [
  'fd00:99::/64',
  'fd00:99::100/125',
  'fd00:99::108/125',
  'fd00:99::10a/127',
  'fd00:99::10c/128',
  '::/0',
  'fd01::/16',
  '100.64.0.0/18',
  '100.64.0.8/29',
  '100.64.0.12/32',
  '0.0.0.0/0',
] as const;

const everybody = fc.constant<RuleSide>({ kind: 'all' });
const inGroup = (names: readonly string[]) =>
  fc.constantFrom(...names).map((group): RuleSide => ({ kind: 'group', group }));
const side: fc.Arbitrary<RuleSide> = fc.oneof(
  { weight: 3, arbitrary: everybody },
  fc.constantFrom(...hosts).map((addresses): RuleSide => ({ kind: 'host', addresses: [...addresses] })),
  inGroup(groups),
  fc.constantFrom(...cidrs).map((cidr): RuleSide => ({ kind: 'cidr', cidr })),
);
const groupSide = fc.oneof(everybody, { weight: 4, arbitrary: inGroup(manyGroups) });

const matched = fc.oneof(
  fc.constantFrom('any', 'tcp', 'udp', 'icmp6').map((protocol) => ({ protocol, ports: null }) as const),
  fc.record({
    protocol: fc.constantFrom('any', 'tcp', 'udp'),
    ports: fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 5 }))
      .map(([first, more]): [number, number] => [portNumbered(first), portNumbered(first + more)]),
  }),
);

/** Ports that are far from those that anything else on a machine uses. */
export function portNumbered(number: number): number {
  return 21_000 + number;
}

interface Sides {
  readonly from: fc.Arbitrary<RuleSide>;
  readonly to: fc.Arbitrary<RuleSide>;
}

const ruleBetween = (sides: Sides) =>
  fc
    .record({
      direction: fc.constantFrom('ingress', 'egress', 'both'),
      action: fc.constantFrom('accept', 'drop', 'reject'),
      ...sides,
      matched,
    })
    .map(({ matched: { protocol, ports }, ...rest }) => ({ ...rest, protocol, ports }));

const ofAllKinds = { rule: ruleBetween({ from: side, to: side }), groups };
const ofManyGroups = { rule: ruleBetween({ from: groupSide, to: groupSide }), groups: manyGroups };

/** `most`: how many rules at most. */
export function randomNetworkRules(most: number): fc.Arbitrary<NetworkRules> {
  return fc.oneof(
    { weight: 3, arbitrary: networkRulesOf(most, ofAllKinds) },
    networkRulesOf(most, ofManyGroups),
  );
}

function networkRulesOf(
  most: number,
  of: typeof ofAllKinds | typeof ofManyGroups,
): fc.Arbitrary<NetworkRules> {
  return fc.record({
    rules: fc
      .array(of.rule, { maxLength: most, size: 'max' })
      .map((list) =>
        list.map(
          (one, i): RuleEntry => ({ ...one, kind: 'rule', network_id: networkId, rule_id: idNumbered(i) }),
        ),
      ),
    members: fc
      .uniqueArray(fc.tuple(fc.constantFrom(...members), fc.constantFrom<string>(...of.groups)), {
        maxLength: 8 * of.groups.length,
        size: 'max',
        selector: ([[address], group]) => `${address} ${group}`,
      })
      .map((list) => list.map(([addresses, group]) => member(group, addresses))),
    defaultPolicy: fc.constantFrom('accept', 'drop'),
  });
}

export function member(group: string, addresses: readonly string[]): MemberEntry {
  return { kind: 'member', network_id: networkId, group, addresses: [...addresses] };
}

export function idNumbered(number: number): string {
  return `01890000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** The local side is one of the pairs of addresses given, the remote side one of `remote`. */
export function randomPacket(
  local: readonly (readonly [string, string])[],
  remote: readonly (readonly [string, string])[] = others,
): fc.Arbitrary<EvaluatedPacket> {
  return fc
    .record({
      direction: fc.constantFrom('ingress', 'egress'),
      local: fc.constantFrom(...local),
      remote: fc.constantFrom(...remote),
      family: fc.constantFrom(0, 1),
      protocol: fc.constantFrom('tcp', 'udp', 'icmp6'),
      port: fc.integer({ min: 1, max: 18 }).map(portNumbered),
    })
    .map(({ direction, local: here, remote: there, family, protocol, port }) => ({
      direction,
      source: (direction === 'ingress' ? there : here)[family],
      destination: (direction === 'ingress' ? here : there)[family],
      protocol,
      port: protocol === 'icmp6' ? null : port,
    }));
}

/** The entries of a node's document that the rules come from. */
export function entriesOf(networkRules: NetworkRules): EntryValue[] {
  const withLengths = ([six, four]: readonly [string, string]) => [`${six}/128`, `${four}/32`];
  return [
    {
      kind: 'interface',
      name: `wg-${handle}`,
      network_id: networkId,
      peer_id: 'peer',
      purpose: 'leaf',
      public_key: 'key',
      listen_port: 51820,
      mtu: 1420,
      addresses: withLengths(own),
      probe_addresses: ['fd00:99::fe01:0:0:101/128'],
    },
    {
      kind: 'firewall',
      network_id: networkId,
      handle,
      prefixes: [...prefixes],
      default_policy: networkRules.defaultPolicy,
      rematch: true,
    },
    ...devices.map(
      (addresses, i): EntryValue => ({
        kind: 'device',
        network_id: networkId,
        user_device_id: `device ${i}`,
        addresses: [...addresses],
      }),
    ),
    ...networkRules.rules,
    ...networkRules.members,
  ];
}
