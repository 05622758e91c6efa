// The statements of a direction as one sequence: all policies of a network in the order of their creation, in each the
// order of its statements. The first statement that matches decides; a path that none matches is permitted.
import type { Prefix } from '../net/prefix.ts';
import type { Policy, Statement } from './model.ts';
import { matches, type PrefixRange, rangeOf } from './prefix-range.ts';

/** A statement with its place. */
export interface PlacedStatement extends Statement {
  readonly route_policy_id: string;
}

/** Those of both directions of policies that were asked about: every path is evaluated against the same ones. */
const sequences = new WeakMap<
  readonly Policy[],
  Readonly<Record<Policy['direction'], readonly PlacedStatement[]>>
>();

export function statementsOf(
  policies: readonly Policy[],
  direction: Policy['direction'],
): readonly PlacedStatement[] {
  const known = sequences.get(policies);
  if (known !== undefined) return known[direction];
  const both = { import: sequenceOf(policies, 'import'), export: sequenceOf(policies, 'export') };
  sequences.set(policies, both);
  return both[direction];
}

function sequenceOf(policies: readonly Policy[], direction: Policy['direction']): PlacedStatement[] {
  return policies
    .filter((policy) => policy.direction === direction)
    .toSorted((a, b) => (a.route_policy_id < b.route_policy_id ? -1 : 1))
    .flatMap(({ route_policy_id, statements }) =>
      statements.toSorted((a, b) => a.seq - b.seq).map((one) => ({ ...one, route_policy_id })),
    );
}

const ranges = new WeakMap<Statement['match'], PrefixRange | null>();

/** What of the policies can match a prefix: with it alone, each path to the prefix is evaluated as with all of them. */
export function policiesFor(policies: readonly Policy[], prefix: Prefix): Policy[] {
  return policies.flatMap((policy) => {
    const statements = policy.statements.filter((statement) => {
      const range = rangeMatched(statement);
      return range === null || matches(range, prefix);
    });
    return statements.length === 0 ? [] : [{ ...policy, statements }];
  });
}

/** The prefixes that it matches; null: all of them. Read once: every path is compared with every statement. */
export function rangeMatched({ match }: Statement): PrefixRange | null {
  let range = ranges.get(match);
  if (range === undefined) {
    range = match.prefix === undefined ? null : rangeOf(match.prefix, match.prefix_ge, match.prefix_le);
    ranges.set(match, range);
  }
  return range;
}

/** The same text for statements that differ in prefixes alone. */
export function besidesPrefixes({ match, set, action }: Statement): string {
  return JSON.stringify([conditionsOf(match), settingsOf(set), action]);
}

/** The same text for equal conditions beside the prefix. */
export function conditionsOf({ announcer, community, as_path }: Statement['match']): string {
  return JSON.stringify([announcer ?? null, community ?? null, as_path ?? null]);
}

/** The same text for equal changes. */
export function settingsOf({ local_pref, med, community, prepend, next_hop }: Statement['set']): string {
  const all = [local_pref, med, community, prepend, next_hop];
  return JSON.stringify(all.map((one) => one ?? null));
}
