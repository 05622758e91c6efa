// What other policies would do to routes: against evaluating everything for every peer, and within its limits.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathsTo, type RoutedNetwork } from './arrivals.ts';
import type { Policy, Statement, Subnet } from './model.ts';
import { policyEffect } from './policy-effect.ts';

const peers = ['fd00::1', 'fd00::2', 'fd00::3', 'fd00::4', 'fd00::5'] as const;
const [hub, otherHub, first, second, third] = peers;
const lan: Subnet = {
  prefix: 'fd00:1::/64',
  announcers: [
    { next_hop: first, preference: 100 },
    { next_hop: second, preference: 200 },
  ],
};
const otherLan: Subnet = { prefix: '10.7.0.0/24', announcers: [{ next_hop: first, preference: 100 }] };
const enough = { steps: 10_000, changes: 100 };

function networkWith(policies: readonly Policy[] = []): RoutedNetwork {
  const always = () => true;
  return { asNumber: 64_512, policies, reflectors: [hub, otherHub], isUp: always, isReached: always };
}

function policy(direction: Policy['direction'], ...statements: Partial<Statement>[]): Policy {
  return {
    route_policy_id: `policy-${direction}`,
    direction,
    statements: statements.map((one, i) => ({
      seq: 10 * (i + 1),
      match: {},
      set: {},
      action: 'permit' as const,
      ...one,
    })),
  };
}

function effectOf(before: readonly Policy[], after: readonly Policy[], limits = enough) {
  const network = networkWith(before);
  return policyEffect({ network, policies: after, subnets: [lan, otherLan], peers, limits });
}

test('a path that is preferred by a policy is told once, with all peers that use it then', () => {
  const prefers = policy('import', { match: { announcer: first }, set: { local_pref: 300 } });
  const { changes, isComplete } = effectOf([], [prefers]);
  expect(isComplete).toBe(true);
  const of = (prefix: string) => changes.filter((one) => one.prefix === prefix);
  // A peer that announces the prefix itself keeps its own path.
  expect(of(lan.prefix)).toMatchObject([
    {
      peers: [hub, otherHub, third],
      before: { announcer: second, attributes: { local_pref: 200 } },
      after: { announcer: first, attributes: { local_pref: 300 } },
    },
  ]);
  expect(of(otherLan.prefix)).toMatchObject([
    { before: { announcer: first, attributes: { local_pref: 100 } }, after: { announcer: first } },
  ]);
});

test('a path that is denied and was not the best is told as denied', () => {
  const denies = policy('export', { match: { announcer: first, prefix: lan.prefix }, action: 'deny' });
  expect(effectOf([], [denies]).changes).toMatchObject([
    { prefix: lan.prefix, before: { announcer: second, denied: [] }, after: { denied: [first] } },
    // Its own path is one that it does not announce any more, so that it takes the other's.
    { prefix: lan.prefix, peers: [first], before: { announcer: first }, after: { announcer: second } },
  ]);
});

test('a prefix without any path left is told as that', () => {
  const { changes } = effectOf([], [policy('import', { action: 'deny' })]);
  const others = changes.filter(({ peers: [peer] }) => peer === hub);
  expect(others.map(({ prefix, after }) => [prefix, after.announcer, after.denied])).toEqual([
    [lan.prefix, null, [first, second]],
    [otherLan.prefix, null, [first]],
  ]);
  // A peer that announces it has its own path, and another announcer's no more.
  expect(changes.find(({ peers: [peer] }) => peer === first)).toMatchObject({
    after: { announcer: first, denied: [second] },
  });
});

test('what does the same as before changes nothing', () => {
  const same = policy('import', { match: { prefix: lan.prefix }, set: { local_pref: 50 } });
  expect(effectOf([same], [{ ...same, route_policy_id: 'other' }])).toEqual({
    changes: [],
    isComplete: true,
  });
});

test('of much, a part is told, and that it is one', () => {
  const denies = policy('import', { action: 'deny' });
  expect(effectOf([], [denies], { ...enough, changes: 1 })).toMatchObject({
    isComplete: false,
    changes: [{ prefix: lan.prefix }],
  });
  // Enough for the first prefix, and none for the second.
  const few = effectOf([], [denies], { ...enough, steps: 20 });
  expect(few.isComplete).toBe(false);
  expect(new Set(few.changes.map(({ prefix }) => prefix))).toEqual(new Set([lan.prefix]));
});

describe('any two sets of policies', () => {
  const statement = fc.record({
    match: fc.oneof(
      fc.constant({}),
      fc.constant({ prefix: lan.prefix }),
      fc.constant({ prefix: '10.0.0.0/8', prefix_le: 32 }),
      fc.constant({ announcer: first }),
    ),
    set: fc.oneof(fc.constant({}), fc.constant({ local_pref: 300 }), fc.constant({ med: 5 })),
    action: fc.constantFrom('permit' as const, 'deny' as const),
  });
  const policies = fc
    .record({ import: fc.array(statement, { maxLength: 4 }), export: fc.array(statement, { maxLength: 4 }) })
    .map((of) => [policy('import', ...of.import), policy('export', ...of.export)]);

  test('are told apart exactly where a peer uses another path, or has other attributes or denials', () => {
    fc.assert(
      fc.property(policies, policies, (before, after) => {
        const told = effectOf(before, after).changes.flatMap((one) =>
          one.peers.map((peer) => `${peer} ${one.prefix}`),
        );
        const differing = peers.flatMap((peer) =>
          [lan, otherLan].flatMap((subnet) => {
            const seen = [before, after].map((of) =>
              pathsTo(networkWith(of), subnet, peer).map(
                ({ announcer, attributes, best, policies: said }) => ({
                  best: best ? { announcer, attributes } : null,
                  isDenied: attributes === null && said.some(({ effect }) => effect === 'denies'),
                }),
              ),
            );
            return JSON.stringify(seen[0]) === JSON.stringify(seen[1]) ? [] : [`${peer} ${subnet.prefix}`];
          }),
        );
        expect(told.sort()).toEqual(differing.sort());
      }),
    );
  });
});
