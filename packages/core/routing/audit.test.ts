// The audit of route policies: each kind of finding, and that what it calls shadowed never decides.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../net/prefix.ts';
import { auditPolicies } from './audit.ts';
import { evaluatePolicies } from './evaluate.ts';
import { announcerCommunity } from './identity.ts';
import type { Policy, Statement } from './model.ts';
import type { PathAttributes } from './path.ts';
import { addresses, asNumber, prefixes, randomPolicies } from './random-routing.fixture.ts';
import { statementsOf } from './statements.ts';

const [first = '', second = ''] = addresses;
const subnets = [{ prefix: 'fd00:1::/64', announcers: [{ next_hop: first, preference: 100 }] }];

function audit(...statements: readonly Omit<Statement, 'seq'>[]): string[] {
  const numbered = statements.map((one, i) => ({ ...one, seq: 10 * (i + 1) }));
  const policies: Policy[] = [{ route_policy_id: 'p', direction: 'import', statements: numbered }];
  return auditPolicies({ policies, subnets, peers: new Set([first, second]) }).map(
    ({ kind, object, by }) => `${object.seq} ${kind}${by === null ? '' : ` by ${by.seq}`}`,
  );
}

const permit = (match: Statement['match'], set: Statement['set'] = {}) =>
  ({ match, set, action: 'permit' }) as const;
const deny = (match: Statement['match']) => ({ match, set: {}, action: 'deny' }) as const;
const prefix = 'fd00:1::/64';

describe('an audit of route policies', () => {
  it('finds nothing in the example of the runbook', () => {
    expect(
      audit(
        permit({ prefix, announcer: first }, { local_pref: 200 }),
        permit({ prefix }, { local_pref: 90 }),
      ),
    ).toEqual([]);
  });

  it('finds what an earlier statement matches too', () => {
    expect(audit(permit({ prefix: 'fd00::/16', prefix_le: 64 }), deny({ prefix }))).toEqual([
      '20 shadowed by 10',
    ]);
    expect(
      audit(permit({ prefix }, { med: 5 }), deny({ prefix, announcer: first, community: '65010:1' })),
    ).toEqual(['20 shadowed by 10']);
  });

  it('finds what earlier statements match together', () => {
    const halves = [
      deny({ prefix: 'fd00:1::/65', prefix_le: 128 }),
      deny({ prefix: 'fd00:1:0:0:8000::/65', prefix_le: 128 }),
    ];
    expect(audit(deny({ prefix }), ...halves, permit({ prefix, prefix_le: 128 }))).toContain(
      '40 shadowed by 10',
    );
  });

  it('finds contradictions and repetitions', () => {
    expect(audit(permit({ prefix }), deny({ prefix, prefix_le: 64 }))).toEqual(['20 contradictory by 10']);
    expect(audit(permit({ prefix }), permit({ prefix }))).toEqual(['20 duplicate by 10']);
  });

  it('finds what nobody announces, or whose peer is gone', () => {
    expect(
      audit(
        permit({ prefix: 'fd00:2::/64' }),
        permit({ announcer: second }),
        permit({ announcer: 'fd00::9' }),
      ),
    ).toEqual(['10 dead', '20 dead', '30 dead']);
  });

  it('calls nothing shadowed that ever decides', () => {
    const attributes = fc.record({
      local_pref: fc.constant(100),
      med: fc.constant(0),
      as_path: fc.array(fc.constantFrom(65_010, 65_001, 65_003), { maxLength: 3 }),
      origin: fc.constant('IGP'),
      communities: fc.subarray(['65010:1', '65010:2', '64999:7', 'no-export']),
      announcer: fc.constantFrom(...addresses.map((one) => announcerCommunity(asNumber, one))),
      next_hop: fc.constantFrom(...addresses),
    }) satisfies fc.Arbitrary<PathAttributes>;
    const path = fc.record({
      prefix: fc.constantFrom(...prefixes, 'fd00:a:1:2::7/128', '10.1.2.128/25'),
      attributes,
    });
    let shadowed = 0;
    fc.assert(
      fc.property(
        randomPolicies,
        fc.array(path, { minLength: 15, maxLength: 15, size: 'max' }),
        (policies, paths) => {
          const findings = auditPolicies({ policies, subnets: [], peers: new Set(addresses) });
          const silent = new Set(
            findings.filter(({ by }) => by !== null).map(({ object }) => `${object.id} ${object.seq}`),
          );
          shadowed += silent.size;
          for (const direction of ['import', 'export'] as const) {
            const statements = statementsOf(policies, direction);
            for (const { prefix: text, attributes } of paths) {
              const block = parsePrefix(text);
              if (block === null) throw new Error(`not a prefix: ${text}`);
              const { policies: effects } = evaluatePolicies(
                statements,
                { prefix: block, attributes },
                asNumber,
              );
              for (const { route_policy_id, seq } of effects)
                expect(silent).not.toContain(`${route_policy_id} ${seq}`);
            }
          }
        },
      ),
    );
    expect(shadowed).toBeGreaterThan(10);
  });
});
