// What the policies of a direction do to a path: the meaning of the route-map that compile.ts makes of them.
import { asPathPattern } from '../intent/as-path.ts';
import type { Prefix } from '../net/prefix.ts';
import { prependedText } from './compile.ts';
import { announcerCommunity } from './identity.ts';
import type { Statement } from './model.ts';
import type { PathAttributes } from './path.ts';
import { matches } from './prefix-range.ts';
import { type PlacedStatement, rangeMatched } from './statements.ts';

/** A statement that decided about a path. */
export interface PolicyEffect {
  readonly route_policy_id: string;
  readonly seq: number;
  /** What it did, for people: `permits`, `denies`, `permits and sets local_pref 200`. */
  readonly effect: string;
}

export interface Evaluated {
  /** null: denied. */
  readonly attributes: PathAttributes | null;
  /** The statement that decided; none when no statement matches. */
  readonly policies: readonly PolicyEffect[];
}

/** The first statement that matches decides; what none matches is permitted. */
export function evaluatePolicies(
  statements: readonly PlacedStatement[],
  path: { readonly prefix: Prefix; readonly attributes: PathAttributes },
  asNumber: number,
): Evaluated {
  const statement = statements.find((one) => isMatch(one, path, asNumber));
  if (statement === undefined) return { attributes: path.attributes, policies: [] };
  const { route_policy_id, seq, action } = statement;
  const policies = [{ route_policy_id, seq, effect: effectOf(statement) }];
  return { attributes: action === 'deny' ? null : changed(path.attributes, statement, asNumber), policies };
}

function isMatch(
  statement: Statement,
  { prefix, attributes }: { readonly prefix: Prefix; readonly attributes: PathAttributes },
  asNumber: number,
): boolean {
  const range = rangeMatched(statement);
  if (range !== null && !matches(range, prefix)) return false;
  const { announcer, community, as_path } = statement.match;
  if (announcer !== undefined && announcerCommunity(asNumber, announcer) !== attributes.announcer)
    return false;
  if (community?.split(' ').every((one) => attributes.communities.includes(one)) === false) return false;
  return as_path === undefined || asPathPattern(as_path).test(attributes.as_path.join(' '));
}

function changed(attributes: PathAttributes, { set }: Statement, asNumber: number): PathAttributes {
  const prepended =
    set.prepend === undefined ? [] : prependedText(set.prepend, asNumber).split(' ').map(Number);
  return {
    ...attributes,
    local_pref: set.local_pref ?? attributes.local_pref,
    med: set.med ?? attributes.med,
    communities: set.community?.split(' ') ?? attributes.communities,
    as_path: [...prepended, ...attributes.as_path],
    next_hop: set.next_hop ?? attributes.next_hop,
  };
}

/** The effect of a statement that denies a path. */
export const denial = 'denies';

function effectOf({ action, set }: Statement): string {
  if (action === 'deny') return denial;
  const changes = Object.entries(set).flatMap(([member, value]) =>
    value === undefined ? [] : `${member} ${value}`,
  );
  return changes.length === 0 ? 'permits' : `permits and sets ${changes.join(', ')}`;
}
