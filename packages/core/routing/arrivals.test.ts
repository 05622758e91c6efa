// Which paths a peer has, by whom they come, and why one that does not come is missing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathsTo, type RoutedNetwork } from './arrivals.ts';
import { asGoodAsBest, contradiction, saidPaths } from './comparison.fixture.ts';
import type { Policy, Statement } from './model.ts';
import { networkOf, tableOf } from './naive.fixture.ts';
import { addresses, prefixes, randomNetwork } from './random-routing.fixture.ts';

const [hub, otherHub, first, second, third] = [
  'fd00::1',
  'fd00::2',
  'fd00::3',
  'fd00::4',
  'fd00::5',
] as const;
const lan = {
  prefix: 'fd00:1::/64',
  announcers: [
    { next_hop: first, preference: 100 },
    { next_hop: second, preference: 200 },
  ],
};

function networkWith(given: Partial<RoutedNetwork> = {}): RoutedNetwork {
  return {
    asNumber: 64_512,
    policies: [],
    reflectors: [hub, otherHub],
    isUp: () => true,
    isReached: () => true,
    ...given,
  };
}

function policy(direction: Policy['direction'], statement: Partial<Statement>): Policy {
  const statements = [{ seq: 10, match: {}, set: {}, action: 'permit' as const, ...statement }];
  return { route_policy_id: `policy-${direction}`, direction, statements };
}

function bestOf(network: RoutedNetwork, peer: string | null = third): string | null {
  return pathsTo(network, lan, peer).find(({ best }) => best)?.announcer ?? null;
}

test('the more preferred announcer is best, and one that is not reached is not', () => {
  expect(bestOf(networkWith())).toBe(second);
  expect(bestOf(networkWith({ isReached: (address) => address !== second }))).toBe(first);
});

test('an announcer prefers its own', () => {
  expect(bestOf(networkWith(), first)).toBe(first);
});

test('a policy decides about the paths of one announcer', () => {
  const policies = [policy('import', { match: { announcer: first }, set: { local_pref: 300 } })];
  const [path] = pathsTo(networkWith({ policies }), lan, third);
  expect(path).toMatchObject({ announcer: first, best: true, attributes: { local_pref: 300 } });
  expect(path?.policies).toEqual([
    { route_policy_id: 'policy-import', seq: 10, effect: 'permits and sets local_pref 300' },
  ]);
});

test('what an export policy denies does not arrive', () => {
  const policies = [policy('export', { match: { announcer: second }, action: 'deny' })];
  const [, path] = pathsTo(networkWith({ policies }), lan, third);
  expect(path).toMatchObject({ attributes: null, because: 'An export policy of its announcer denies it.' });
  expect(bestOf(networkWith({ policies }))).toBe(first);
});

describe('sessions', () => {
  const between =
    (...pairs: readonly string[]) =>
    (one: string, other: string) =>
      !pairs.includes(`${one} ${other}`) && !pairs.includes(`${other} ${one}`);

  test('a reflector stands in for another', () => {
    expect(bestOf(networkWith({ isUp: between(`${hub} ${third}`) }))).toBe(second);
  });

  test('a path that no session brings is said to be missing for that', () => {
    const isUp = between(`${second} ${hub}`, `${second} ${otherHub}`);
    const [, path] = pathsTo(networkWith({ isUp }), lan, third);
    expect(path?.because).toContain('no BGP session');
    expect(bestOf(networkWith({ isUp }))).toBe(first);
  });

  test('in a full mesh nobody stands in', () => {
    const isUp = between(`${second} ${third}`);
    expect(bestOf(networkWith({ reflectors: null, isUp }))).toBe(first);
  });
});

/** Its tables are those of real daemons (frr.net.test.ts). */
test('the paths, and those that are used, are those of a network in which each speaker passes on what it has', () => {
  fc.assert(
    fc.property(randomNetwork, ({ policies, preferences }) => {
      const naive = networkOf(policies, preferences);
      for (const address of addresses) {
        for (const prefix of prefixes) {
          const table = tableOf(naive, address, prefix);
          const asGood = asGoodAsBest(table);
          expect(contradiction(saidPaths(naive, address, prefix), table, { prefix, asGood })).toBeNull();
        }
      }
    }),
  );
});

test('of one announcer the path that is used is shown, also when a reflector has made it better', () => {
  const marked = policy('import', { match: {}, set: { community: '65010:1', local_pref: 120 } });
  const [statement] = marked.statements;
  if (statement === undefined) throw new Error('a policy without a statement');
  const better = { ...statement, seq: 5, match: { community: '65010:1' }, set: { local_pref: 300 } };
  const policies = [{ ...marked, statements: [better, statement] }];
  const own = { prefix: 'fd00:1::/64', announcers: [{ next_hop: hub, preference: 100 }] };
  expect(pathsTo(networkWith({ policies }), own, third)).toMatchObject([
    { announcer: hub, sender: otherHub, best: true, attributes: { local_pref: 300 } },
  ]);
});

test('paths of an anycast address with other AS numbers are not as good', () => {
  const shared = {
    ...lan,
    virtualIpId: 'v',
    announcers: lan.announcers.map((one) => ({ ...one, preference: 100 })),
  };
  const of = (prepend: string) =>
    policy('export', { match: { announcer: second }, set: { prepend: '65001' } }).statements.map((one) => ({
      ...{ route_policy_id: prepend, direction: 'export' as const },
      statements: [one, { ...one, seq: 20, match: { announcer: first }, set: { prepend } }],
    }));
  const used = (prepend: string) =>
    pathsTo(networkWith({ policies: of(prepend) }), shared, third).filter(({ best }) => best).length;
  expect([used('65001'), used('65003')]).toEqual([2, 1]);
});
