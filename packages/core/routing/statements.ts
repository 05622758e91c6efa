// The statements of a direction as one sequence: all policies of a network in the order of their creation, in each the
// order of its statements. The first statement that matches decides; a path that none matches is permitted.
import type { Policy, Statement } from './model.ts';
import { type PrefixRange, rangeOf } from './prefix-range.ts';

/** A statement with its place. */
export interface PlacedStatement extends Statement {
  readonly route_policy_id: string;
}

export function statementsOf(policies: readonly Policy[], direction: Policy['direction']): PlacedStatement[] {
  return policies
    .filter((policy) => policy.direction === direction)
    .toSorted((a, b) => (a.route_policy_id < b.route_policy_id ? -1 : 1))
    .flatMap(({ route_policy_id, statements }) =>
      statements.toSorted((a, b) => a.seq - b.seq).map((one) => ({ ...one, route_policy_id })),
    );
}

/** The prefixes that it matches; null: all of them. */
export function rangeMatched({ match }: Statement): PrefixRange | null {
  return match.prefix === undefined ? null : rangeOf(match.prefix, match.prefix_ge, match.prefix_le);
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
