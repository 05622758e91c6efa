// What another set of route policies would do to the routes of a network as it is now: which peers would use another
// path to a prefix, or one with other attributes, and whose paths would be denied.
import { arrivalKey, type PathToPrefix, pathsTo, prefixOf, type RoutedNetwork } from './arrivals.ts';
import { denial } from './evaluate.ts';
import type { Policy, Subnet } from './model.ts';
import type { PathAttributes } from './path.ts';
import { matches } from './prefix-range.ts';
import { type PlacedStatement, policiesFor, rangeMatched, statementsOf } from './statements.ts';

/** What a peer has of a prefix. */
export interface SeenRoute {
  /** The address of the announcer of the best path; null: no path can be used. */
  readonly announcer: string | null;
  /** Of the best path. */
  readonly attributes: PathAttributes | null;
  /** Announcers whose paths a policy denies. */
  readonly denied: readonly string[];
}

export interface RouteChange {
  readonly prefix: string;
  /** The addresses of all peers that see the same change. */
  readonly peers: readonly string[];
  readonly before: SeenRoute;
  readonly after: SeenRoute;
}

export interface PolicyEffectQuestion {
  /** With the policies that there are. */
  readonly network: RoutedNetwork;
  /** The policies that there would be. */
  readonly policies: readonly Policy[];
  readonly subnets: readonly Subnet[];
  /** Addresses of peers; the first are looked at first. */
  readonly peers: readonly string[];
  /** So many steps are taken, and so many changes told. */
  readonly limits: { readonly steps: number; readonly changes: number };
}

export interface RoutingEffect {
  readonly changes: readonly RouteChange[];
  /** Whether all routes were looked at, and all changes are told. */
  readonly isComplete: boolean;
}

/** One step is a statement that is compared with a prefix, or a session that is looked for. A path is so many. */
const stepsOfPath = 20;

export function policyEffect({
  network,
  policies,
  subnets,
  peers,
  limits,
}: PolicyEffectQuestion): RoutingEffect {
  const changed = changedStatements(network.policies, policies);
  const compared = 2 * changed.length + countOf(network.policies) + countOf(policies);
  const changes: RouteChange[] = [];
  let steps = 0;
  for (const subnet of subnets) {
    steps += changed.length;
    if (!isConcerned(subnet, changed)) continue;
    steps += compared + peers.length * subnet.announcers.length;
    if (steps > limits.steps) return { changes, isComplete: false };
    const found = changesOf({ network, policies, subnet, peers });
    steps += found.kinds * subnet.announcers.length * stepsOfPath;
    const room = limits.changes - changes.length;
    changes.push(...found.changes.slice(0, room));
    if (found.changes.length > room) return { changes, isComplete: false };
  }
  return { changes, isComplete: true };
}

function countOf(policies: readonly Policy[]): number {
  return policies.reduce((sum, { statements }) => sum + statements.length, 0);
}

/** Of one prefix. `kinds`: of peers that have different paths, of each of which one was looked at. */
function changesOf({
  network,
  policies,
  subnet,
  peers,
}: Pick<PolicyEffectQuestion, 'network' | 'policies' | 'peers'> & { readonly subnet: Subnet }): {
  readonly changes: RouteChange[];
  readonly kinds: number;
} {
  const prefix = prefixOf(subnet);
  const before = { ...network, policies: policiesFor(network.policies, prefix) };
  const after = { ...network, policies: policiesFor(policies, prefix) };
  const kinds = Map.groupBy(peers, (peer) => arrivalKey(network, subnet, peer));
  const found = new Map<string, { readonly peers: string[]; readonly change: RouteChange }>();
  for (const alike of kinds.values()) {
    const [peer = ''] = alike;
    const [was, is] = [seenIn(pathsTo(before, subnet, peer)), seenIn(pathsTo(after, subnet, peer))];
    const turn = [JSON.stringify(was), JSON.stringify(is)];
    if (turn[0] === turn[1]) continue;
    const known = found.get(turn.join());
    if (known !== undefined) known.peers.push(...alike);
    else {
      const all = [...alike];
      const change = { prefix: subnet.prefix, peers: all, before: was, after: is };
      found.set(turn.join(), { peers: all, change });
    }
  }
  return { changes: Array.from(found.values(), ({ change }) => change), kinds: kinds.size };
}

/** Statements before which, and behind which, both sequences are the same. What none of them matches stays as it is. */
function changedStatements(before: readonly Policy[], after: readonly Policy[]): PlacedStatement[] {
  return (['import', 'export'] as const).flatMap((direction) => {
    const [a, b] = [statementsOf(before, direction), statementsOf(after, direction)];
    const shorter = Math.min(a.length, b.length);
    let start = 0;
    while (start < shorter && isSame(a[start], b[start])) start++;
    let end = 0;
    while (end < shorter - start && isSame(a.at(-1 - end), b.at(-1 - end))) end++;
    return [...a.slice(start, a.length - end), ...b.slice(start, b.length - end)];
  });
}

/** Of policies with other ids, too: what they are called changes no route. */
function isSame(a: PlacedStatement | undefined, b: PlacedStatement | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return JSON.stringify([a.match, a.set, a.action]) === JSON.stringify([b.match, b.set, b.action]);
}

function isConcerned(subnet: Subnet, statements: readonly PlacedStatement[]): boolean {
  const prefix = prefixOf(subnet);
  return statements.some((statement) => {
    const range = rangeMatched(statement);
    return range === null || matches(range, prefix);
  });
}

function seenIn(paths: readonly PathToPrefix[]): SeenRoute {
  const best = paths.find((path) => path.best);
  return {
    announcer: best?.announcer ?? null,
    attributes: best?.attributes ?? null,
    denied: paths.filter(isDenied).map(({ announcer }) => announcer),
  };
}

function isDenied({ attributes, policies }: PathToPrefix): boolean {
  return attributes === null && policies.some(({ effect }) => effect === denial);
}
