// Going back: over documents that the compiler makes of random changes, nothing that was taken away, denied or rotated
// comes back, and nothing leads anywhere that it did not lead before.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../compile/digest.ts';
import type { NetworkModel, PeerModel, RuleModel } from '../compile/model.ts';
import { NetworkIndex } from '../compile/network-index.ts';
import { RandomFleet } from '../compile/random-fleet.fixture.ts';
import type { Before, Entries } from '../compile/take-back.ts';
import { seededRandom } from '../testing/random.ts';
import { type EntryValue, entryKey } from '../wire/document.ts';
import { effectiveEntries, isReverted, rollBack } from './roll-back.ts';

function beforeOf(was: Entries, is: Entries): Before {
  const before = new Map<string, EntryValue | null>();
  for (const key of new Set([...was.keys(), ...is.keys()])) {
    const [a, b] = [was.get(key) ?? null, is.get(key) ?? null];
    if (canonicalJson(a) !== canonicalJson(b)) before.set(key, a);
  }
  return before;
}

const of = <K extends EntryValue['kind']>(entries: Entries, kind: K) =>
  [...entries.values()].filter((entry): entry is Extract<EntryValue, { kind: K }> => entry.kind === kind);

const instances = ['one', 'two', 'three', 'four', 'five', 'six'];

/** Documents of a machine before and after some changes of its network. */
function randomChange(seed: number, changes: number): { readonly was: Entries; readonly is: Entries } {
  const fleet = new RandomFleet({ accountId: 'a', instanceIds: instances, random: seededRandom(seed) });
  for (let i = 0; i < 60; i++) fleet.change();
  const [instance = 'one'] = instances.filter((one) => fleet.expected(one).size > 0);
  const was = fleet.expected(instance);
  for (let i = 0; i < changes; i++) fleet.change();
  return { was, is: fleet.expected(instance) };
}

const cases = fc.record({ seed: fc.nat(), changes: fc.integer({ min: 1, max: 12 }) });

describe('going back [9.10]', () => {
  test('brings back no tunnel, key, holder or right, and loses no denial', () => {
    let rolledBack = 0;
    fc.assert(
      fc.property(cases, ({ seed, changes }) => {
        const { was, is } = randomChange(seed, changes);
        const reverted = rollBack(beforeOf(was, is), is);
        if (reverted.length > 0) rolledBack++;
        const effective = effectiveEntries(is, reverted);
        for (const [key, entry] of effective) {
          const wanted = is.get(key);
          // Only routes come back, and those into a block that the network does not have any more.
          if (wanted === undefined) {
            expect(entry.kind, key).toBe('route');
            continue;
          }
          if (entry.kind === 'interface' && wanted.kind === 'interface') {
            expect(entry.public_key).toBe(wanted.public_key);
          }
          if (entry.kind === 'virtual_ip' && wanted.kind === 'virtual_ip') {
            expect({ ...entry, addresses: [] }).toEqual({ ...wanted, addresses: [] });
          }
          if (entry.kind === 'firewall' && wanted.kind === 'firewall') {
            expect(entry.default_policy).toBe(wanted.default_policy);
          }
          if (entry.kind === 'port_mapping' && wanted.kind === 'port_mapping') {
            expect([entry.source_cidrs, entry.rate_limit, entry.max_connections]).toEqual([
              wanted.source_cidrs,
              wanted.rate_limit,
              wanted.max_connections,
            ]);
          }
        }
        for (const kind of ['rule', 'member', 'firewall', 'device', 'watch'] as const) {
          const keys = (entries: Entries) => of(entries, kind).map(entryKey).sort();
          expect(keys(effective)).toEqual(keys(is));
        }
        for (const rule of of(is, 'rule')) {
          const kept = effective.get(entryKey(rule));
          if (kept?.kind !== 'rule') throw new Error('a rule is gone');
          for (const side of ['from', 'to'] as const) {
            const [a, b] = [rule[side], kept[side]];
            if (a.kind === 'host' && b.kind === 'host')
              expect(b.addresses).toEqual(expect.arrayContaining(a.addresses));
            else expect(b).toEqual(a);
          }
          expect({ ...kept, from: null, to: null }).toEqual({ ...rule, from: null, to: null });
        }
      }),
      { numRuns: 400 },
    );
    expect(rolledBack).toBeGreaterThan(100);
  });

  test('leads nothing anywhere that it did not lead before', () => {
    fc.assert(
      fc.property(cases, ({ seed, changes }) => {
        const { was, is } = randomChange(seed, changes);
        const effective = effectiveEntries(is, rollBack(beforeOf(was, is), is));
        const before = new Map(of(was, 'interface').map((one) => [one.name, one]));
        for (const one of of(effective, 'interface')) {
          const old = before.get(one.name);
          expect(old).toBeDefined();
          if (old?.peer_id !== one.peer_id || old.purpose !== one.purpose) continue;
          expect([one.addresses, one.listen_port, one.mtu]).toEqual([
            old.addresses,
            old.listen_port,
            old.mtu,
          ]);
        }
        for (const route of of(effective, 'route')) expect(was.get(entryKey(route))?.kind).toBe('route');
        for (const one of of(effective, 'port_mapping')) {
          const old = was.get(entryKey(one));
          expect(old).toMatchObject({
            external_address: one.external_address,
            target_address: one.target_address,
          });
        }
        const endpoints = new Set(
          of(was, 'peer').map((one) => `${one.interface} ${one.peer_id} ${one.endpoint}`),
        );
        for (const one of of(effective, 'peer')) {
          expect(endpoints).toContain(`${one.interface} ${one.peer_id} ${one.endpoint}`);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('is over for every value that the document wants otherwise, and altogether when it wants the old ones', () => {
    fc.assert(
      fc.property(cases, ({ seed, changes }) => {
        const { was, is } = randomChange(seed, changes);
        const reverted = rollBack(beforeOf(was, is), is);
        for (const one of reverted) {
          expect(isReverted(one, is)).toBe(true);
          expect(isReverted(one, was)).toBe(false);
        }
        expect(effectiveEntries(was, reverted)).toBe(was);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a network that is renumbered', () => {
  const network: NetworkModel = {
    id: 'n',
    accountId: 'a',
    handle: 'h',
    prefix: 'fd00::/64',
    ipv4Prefix: '100.64.0.0/18',
    mtu: 1420,
    topologyStrategy: 'full_mesh',
    firewallDefaultPolicy: 'drop',
    rematchConnections: false,
  };
  const rule: RuleModel = {
    type: 'firewall_rule',
    id: 'r',
    networkId: 'n',
    direction: 'ingress',
    action: 'drop',
    selector: { kind: 'peer', id: 'p2' },
    destination: { kind: 'all' },
    protocol: 'any',
    ports: null,
    enabled: true,
  };
  const peer = (number: number, ipv4Prefix: string): PeerModel => ({
    id: `p${number}`,
    networkId: 'n',
    instanceId: `i${number}`,
    hostAddress: `fd00::${number}`,
    ipv4Address: `${ipv4Prefix}.${number}`,
    publicKey: `key-${number}`,
    directKey: null,
    directEndpoint: null,
    hubSlot: number === 1 ? 1 : null,
    endpoint: `203.0.113.${number}:51820`,
    listenPort: 51820,
    tags: [],
    draining: false,
  });
  const documentIn = (ipv4Prefix: string, block: string, numbers = [1, 2, 3]) => {
    const peers = numbers.map((number) => peer(number, ipv4Prefix));
    const index = new NetworkIndex({ ...network, ipv4Prefix: block }, peers, [rule]);
    return new Map(index.compile('i3').map(({ value }) => [entryKey(value), value]));
  };
  const was = documentIn('100.64.0', '100.64.0.0/18');
  const is = documentIn('198.51.100', '198.51.100.0/24');
  const reverted = rollBack(beforeOf(was, is), is);

  test('is as before in all that leads, and its rules know the old addresses beside the new ones [9.10]', () => {
    const effective = effectiveEntries(is, reverted);
    const leading = (entries: Entries) =>
      new Map([...entries].filter(([, { kind }]) => kind !== 'rule' && kind !== 'firewall'));
    expect(leading(effective)).toEqual(leading(was));
    expect(effective.get('rule/r')).toMatchObject({
      from: { kind: 'host', addresses: ['fd00::2', '198.51.100.2', '100.64.0.2'] },
    });
    expect(of(effective, 'firewall')[0]?.prefixes).toEqual(
      expect.arrayContaining(['fd00::/64', '198.51.100.0/24', '100.64.0.0/18']),
    );
  });

  test('and loses a peer in the same breath does not get that one back [9.10]', () => {
    const without = documentIn('198.51.100', '198.51.100.0/24', [1, 3]);
    const effective = effectiveEntries(without, rollBack(beforeOf(was, without), without));
    expect(of(effective, 'peer').map((one) => one.public_key)).not.toContain('key-2');
    expect([...effective.keys()].filter((key) => key.includes('100.64.0.2'))).toEqual([]);
  });

  test('loses later what is taken away later, and takes the next numbers at once [9.10]', () => {
    const without = documentIn('198.51.100', '198.51.100.0/24', [1, 3]);
    const effective = effectiveEntries(without, reverted);
    expect(of(effective, 'peer').map((one) => one.public_key)).not.toContain('key-2');
    expect(of(effective, 'interface').flatMap((one) => one.addresses)).toContain('100.64.0.3/32');
    const next = documentIn('10.9.0', '10.9.0.0/24');
    expect(leadsTo(effectiveEntries(next, reverted))).toEqual(leadsTo(next));
  });

  const leadsTo = (entries: Entries) =>
    of(entries, 'route')
      .map((one) => one.destination)
      .sort();
});
