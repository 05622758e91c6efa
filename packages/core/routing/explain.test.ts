// Which path wins and at which step the others lose, and what is said of policies.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, decide } from './decide.ts';
import { explainRoute } from './explain.ts';
import type { Policy } from './model.ts';
import type { PathAttributes, ReceivedPath } from './path.ts';

const attributes: PathAttributes = {
  local_pref: 100,
  med: 0,
  as_path: [],
  origin: 'IGP',
  communities: [],
  announcer: '65010:0:259',
  next_hop: 'fd00:99::103',
};
const received = (of: Partial<PathAttributes> = {}, more: Partial<ReceivedPath> = {}): ReceivedPath => ({
  attributes: { ...attributes, ...of },
  neighbor: { host_address: 'fd00:99::101', router_id: '0.0.1.1' },
  originator_id: '0.0.1.3',
  cluster_length: 1,
  ...more,
});
const candidate = (of: Partial<PathAttributes> = {}, more: Partial<Candidate> = {}): Candidate => ({
  ...received(of, more),
  next_hop_metric: 0,
  ...more,
  attributes: { ...attributes, ...of },
});

describe('the decision', () => {
  const usual = candidate();
  it.each([
    ['next_hop', usual, candidate({}, { next_hop_metric: null })],
    ['local_origin', candidate({ local_pref: 1 }, { neighbor: null }), candidate({ local_pref: 900 })],
    ['local_pref', candidate({ local_pref: 101, as_path: [1] }), usual],
    ['as_path', candidate({ med: 9 }), candidate({ as_path: [65_010] })],
    ['origin', candidate({ med: 9 }), candidate({ origin: 'incomplete' })],
    ['med', candidate({}, { next_hop_metric: 20 }), candidate({ med: 1 })],
    ['next_hop_metric', candidate({}, { originator_id: '0.0.1.9' }), candidate({}, { next_hop_metric: 1 })],
    ['router_id', candidate({}, { cluster_length: 2 }), candidate({}, { originator_id: '0.0.1.4' })],
    ['cluster_length', usual, candidate({}, { cluster_length: 2 })],
    [
      'neighbor_address',
      usual,
      candidate({}, { neighbor: { host_address: 'fd00:99::102', router_id: '0.0.1.2' } }),
    ],
  ] as const)('goes by %s before all that comes after it', (step, winner, loser) => {
    expect(decide([winner, loser])).toEqual({ best: 0, lostAt: [null, step] });
    expect(decide([loser, winner])).toEqual({ best: 1, lostAt: [step, null] });
  });

  it('has no best path when no next hop is reachable', () => {
    expect(decide([candidate({}, { next_hop_metric: null })])).toEqual({ best: null, lostAt: ['next_hop'] });
    expect(decide([])).toEqual({ best: null, lostAt: [] });
  });

  it('does not depend on the order of paths', () => {
    const random = fc.record({
      local_pref: fc.constantFrom(100, 200),
      med: fc.nat(1),
      as_path: fc.array(fc.constant(65_001), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(random, fc.nat(50)), { minLength: 1, maxLength: 6, selector: ([, i]) => i }),
        (list) => {
          const paths = list.map(([of, i]) => candidate(of, { originator_id: `0.0.2.${i}` }));
          const backwards = paths.toReversed();
          expect(paths[decide(paths).best ?? -1]).toBe(backwards[decide(backwards).best ?? -1]);
        },
      ),
    );
  });
});

it('an explanation names the statement that decided about each path, and why the best is the best', () => {
  const policies: Policy[] = [
    {
      route_policy_id: 'prefer',
      direction: 'import',
      statements: [
        { seq: 10, match: { announcer: 'fd00:99::104' }, set: { local_pref: 200 }, action: 'permit' },
        { seq: 20, match: { community: '65010:9' }, set: {}, action: 'deny' },
        { seq: 30, match: { prefix: '10.0.0.0/8' }, set: { next_hop: 'fd00:99::105' }, action: 'permit' },
      ],
    },
    {
      route_policy_id: 'other',
      direction: 'export',
      statements: [{ seq: 1, match: {}, set: {}, action: 'deny' }],
    },
  ];
  const explained = explainRoute({
    prefix: '10.0.0.0/8',
    speaker: { as_number: 65_010, host_address: 'fd00:99::105' },
    policies,
    paths: [
      received({ announcer: '65010:0:260', next_hop: 'fd00:99::104' }),
      received({ communities: ['65010:9'] }),
      received(),
      received({ announcer: '65010:0:260', next_hop: 'fd00:99::109' }),
    ],
    nextHopMetric: (address) => (address === 'fd00:99::109' ? null : 0),
  });
  expect(
    explained.map(({ best, because, policies }) => [
      best,
      because,
      ...policies.map((one) => `${one.route_policy_id} ${one.seq} ${one.effect}`),
    ]),
  ).toEqual([
    [true, 'It is preferred to every other path.', 'prefer 10 permits and sets local_pref 200'],
    [false, 'A policy denies it.', 'prefer 20 denies'],
    [
      false,
      'Its next hop is the peer itself, so it cannot be used.',
      'prefer 30 permits and sets next_hop fd00:99::105',
    ],
    [false, 'Its next hop is not reachable.', 'prefer 10 permits and sets local_pref 200'],
  ]);
  expect(explained[0]?.attributes?.local_pref).toBe(200);
});
