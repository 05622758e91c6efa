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
  const { announcer, communities, asPath } = conditionsOf(statement.match, asNumber);
  if (announcer !== null && announcer !== attributes.announcer) return false;
  if (!communities.every((one) => attributes.communities.includes(one))) return false;
  return asPath === null || asPath.test(attributes.as_path.join(' '));
}

/** What a path is compared with, beside its prefix. */
interface Conditions {
  readonly asNumber: number;
  /** Its large community. */
  readonly announcer: string | null;
  readonly communities: readonly string[];
  readonly asPath: RegExp | null;
}

const conditions = new WeakMap<Statement['match'], Conditions>();

function conditionsOf(match: Statement['match'], asNumber: number): Conditions {
  let known = conditions.get(match);
  if (known === undefined || known.asNumber !== asNumber) {
    const { announcer, community, as_path } = match;
    known = {
      asNumber,
      announcer: announcer === undefined ? null : announcerCommunity(asNumber, announcer),
      communities: community?.split(' ') ?? [],
      asPath: as_path === undefined ? null : asPathPattern(as_path),
    };
    conditions.set(match, known);
  }
  return known;
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
