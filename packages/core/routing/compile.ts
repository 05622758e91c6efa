// Compiles the policies of a direction to a route-map: the least text with that meaning. Adjacent statements that differ
// in prefixes alone share their entries, and what the final entry does anyway has none of its own.
import { type ConfigLine, configText, context } from './config-lines.ts';
import { announcerCommunity } from './identity.ts';
import { contentName, type Lists } from './lists.ts';
import type { Policy, Statement } from './model.ts';
import type { PrefixRange } from './prefix-range.ts';
import { besidesPrefixes, rangeMatched, statementsOf } from './statements.ts';

/** One entry of a route-map without its number. */
export interface MapEntry {
  readonly action: 'permit' | 'deny';
  readonly lines: readonly string[];
}

export interface RouteMap {
  readonly name: string;
  readonly lines: readonly ConfigLine[];
}

/** A route-map, named by a hash of its lines. Sequence numbers rise by one: no line is inserted between two later. */
export function routeMap(kind: string, entries: readonly MapEntry[]): RouteMap {
  const write = (name: string) =>
    entries.flatMap(({ action, lines }, i) => context(`route-map ${name} ${action} ${i + 1}`, lines));
  const name = contentName(kind, configText(write('')));
  return { name, lines: write(name) };
}

/** The route-map of a direction; null: no policy changes anything. */
export function compilePolicies(
  policies: readonly Policy[],
  {
    direction,
    asNumber,
    lists,
  }: {
    readonly direction: Policy['direction'];
    readonly asNumber: number;
    readonly lists: Lists;
  },
): RouteMap | null {
  const groups = groupsOf(statementsOf(policies, direction));
  while (groups.length > 0 && isFinalPermit(groups.at(-1)?.statement)) groups.pop();
  if (groups.length === 0) return null;
  const entries = groups.flatMap(({ statement, ranges }) => {
    const others = othersOf(statement, asNumber, lists);
    const lines = setLines(statement.set, asNumber);
    const { action } = statement;
    if (ranges === null) return [{ action, lines: [...others, ...lines] }];
    return lists
      .prefixes(ranges)
      .map((match) => ({ action, lines: [...[match, ...others].sort(inTheirOrder), ...lines] }));
  });
  const last = groups.at(-1);
  const isOpen = last !== undefined && !matchesAll(last);
  return routeMap(direction === 'import' ? 'in' : 'out', isOpen ? [...entries, final] : entries);
}

/** What no statement matches is permitted. */
const final: MapEntry = { action: 'permit', lines: [] };

interface Group {
  readonly statement: Statement;
  /** null: all prefixes. */
  readonly ranges: readonly PrefixRange[] | null;
}

/** Adjacent statements that differ in prefixes alone, up to the first that matches every path. */
function groupsOf(statements: readonly Statement[]): Group[] {
  const groups: Group[] = [];
  for (const statement of statements) {
    const last = groups.at(-1);
    const range = rangeMatched(statement);
    if (last !== undefined && besidesPrefixes(last.statement) === besidesPrefixes(statement)) {
      const ranges = last.ranges === null || range === null ? null : [...last.ranges, range];
      groups[groups.length - 1] = { statement, ranges };
    } else groups.push({ statement, ranges: range === null ? null : [range] });
    const newest = groups.at(-1);
    if (newest !== undefined && matchesAll(newest)) break;
  }
  return groups;
}

function matchesAll({ statement: { match }, ranges }: Group): boolean {
  return (
    ranges === null &&
    match.announcer === undefined &&
    match.community === undefined &&
    match.as_path === undefined
  );
}

function isFinalPermit(statement: Statement | undefined): boolean {
  return statement?.action === 'permit' && Object.values(statement.set).every((one) => one === undefined);
}

function othersOf({ match }: Statement, asNumber: number, lists: Lists): string[] {
  const { announcer, community, as_path } = match;
  return [
    ...(as_path === undefined ? [] : [lists.asPath(as_path)]),
    ...(community === undefined ? [] : [lists.communities(community)]),
    ...(announcer === undefined ? [] : [lists.announcer(announcerCommunity(asNumber, announcer))]),
  ];
}

/** bgpd prints conditions and changes by the alphabet. */
export const inTheirOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export function setLines(
  { local_pref, med, community, prepend, next_hop }: Statement['set'],
  asNumber: number,
): string[] {
  return [
    ...(prepend === undefined ? [] : [`set as-path prepend ${prependedText(prepend, asNumber)}`]),
    ...(community === undefined ? [] : [`set community ${community}`]),
    ...(next_hop === undefined ? [] : [`set ipv6 next-hop global ${next_hop}`]),
    ...(local_pref === undefined ? [] : [`set local-preference ${local_pref}`]),
    ...(med === undefined ? [] : [`set metric ${med}`]),
  ];
}

/** A number is the network's own AS number so many times. */
export function prependedText(prepend: number | string, asNumber: number): string {
  return typeof prepend === 'string' ? prepend : Array.from({ length: prepend }, () => asNumber).join(' ');
}
