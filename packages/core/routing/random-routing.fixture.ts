// Test support: random policies and announcements of a small network, in which matches meet prefixes and paths often.
import fc from 'fast-check';
import { communitiesOf } from '../intent/community.ts';
import { widthOf } from '../net/address.ts';
import { parsePrefix } from '../net/prefix.ts';
import type { Policy, Statement } from './model.ts';

export const asNumber = 65_010;
export const addresses = Array.from({ length: 5 }, (_, i) => `fd00:99::10${i + 1}`);

export const prefixes = [
  'fd00:a::/32',
  'fd00:a:1::/48',
  'fd00:a:1:1::/64',
  'fd00:a:1:2::/64',
  'fd00:a:1:3::/64',
  'fd00:b::5/128',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.1.3.0/24',
  '192.168.7.9/32',
];

/** Those of them that are anycast addresses: of paths that are as good, all are used. */
export const virtualIpPrefixes: readonly string[] = ['fd00:b::5/128', '192.168.7.9/32'];

const communities = ['65010:1', '65010:2', '64999:7', 'no-export', 'graceful-shutdown', 'local-AS'];
const community = fc
  .uniqueArray(fc.constantFrom(...communities), { minLength: 1, maxLength: 3 })
  .map((list) => communitiesOf(list.join(' ')).join(' '));
const asPaths = [
  '^$',
  '_65010_',
  '^65001',
  '65001$',
  '^(65010_)+65001',
  '_6500[0-2]_',
  '^[0-9]+$',
  '_65001_|_65003_',
];

/** Prefixes of the list, and those around them. */
const prefix = fc
  .tuple(
    fc.constantFrom(...prefixes, '::/0', '0.0.0.0/0'),
    fc.constantFrom('exact', 'ge', 'le', 'both'),
    fc.nat(),
    fc.nat(),
  )
  .map(([text, kind, a, b]) => {
    const block = parsePrefix(text);
    if (block === null) throw new Error('the list of prefixes has a wrong entry');
    const lengths = widthOf[block.family] - block.length + 1;
    const [low = 0, high = 0] = [block.length + (a % lengths), block.length + (b % lengths)].sort(
      (x, y) => x - y,
    );
    return {
      prefix: text,
      ...(kind === 'ge' || kind === 'both' ? { prefix_ge: low } : {}),
      ...(kind === 'le' || kind === 'both' ? { prefix_le: high } : {}),
    };
  });

const match = fc
  .record({
    prefix: fc.option(prefix, { nil: {}, freq: 4 }),
    announcer: fc.option(fc.constantFrom(...addresses), { nil: undefined, freq: 1 }),
    community: fc.option(community, { nil: undefined, freq: 1 }),
    as_path: fc.option(fc.constantFrom(...asPaths), { nil: undefined, freq: 1 }),
    plain: fc.boolean(),
  })
  .map(({ prefix, plain, ...rest }): Statement['match'] => (plain ? { ...prefix } : { ...prefix, ...rest }));

const metric = fc.oneof(fc.integer({ min: 90, max: 110 }), fc.constantFrom(0, 100, 4_294_967_295));
const set = fc.record(
  {
    local_pref: metric,
    med: metric,
    community,
    prepend: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom('65001', '65001 65003 65001')),
    next_hop: fc.constantFrom(...addresses),
  },
  { requiredKeys: [] },
);

const statement = fc
  .record({
    match,
    set: fc.oneof({ weight: 3, arbitrary: set }, fc.constant({})),
    action: fc.constantFrom('permit', 'permit', 'permit', 'deny'),
  })
  .map(
    ({ match, set, action }): Omit<Statement, 'seq'> =>
      action === 'deny' ? { match, set: {}, action: 'deny' } : { match, set, action: 'permit' },
  );

const noLengths = { prefix_ge: undefined, prefix_le: undefined };

/** Some of one policy differ in prefixes alone. */
const statements = fc
  .array(fc.tuple(statement, fc.array(prefix, { maxLength: 3 })), { minLength: 1, maxLength: 5 })
  .map((list) =>
    list
      .flatMap(([first, more]) => [
        first,
        ...more.map((one) => ({ ...first, match: { ...first.match, ...noLengths, ...one } })),
      ])
      .map((one, i): Statement => ({ ...one, seq: 10 * (i + 1) })),
  );

export const randomPolicies = fc
  .array(fc.record({ direction: fc.constantFrom('import', 'export'), statements }), {
    maxLength: 4,
    size: 'max',
  })
  .map((list) => list.map((one, i): Policy => ({ ...one, route_policy_id: idNumbered(i) })));

/** For each prefix and each peer the preference with which it announces it; null: it does not. */
const preferences = fc.array(
  fc.array(fc.option(fc.constantFrom(100, 100, 90, 200), { nil: null, freq: 2 }), {
    minLength: addresses.length,
    maxLength: addresses.length,
    size: 'max',
  }),
  { minLength: prefixes.length, maxLength: prefixes.length, size: 'max' },
);

export const randomNetwork = fc.record({ policies: randomPolicies, preferences });

function idNumbered(number: number): string {
  return `01890000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}
