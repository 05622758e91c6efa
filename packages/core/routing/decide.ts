// Which of several paths bgpd takes, and why not the others: its decision process, for paths of one administration.
import { parseAddress } from '../net/address.ts';
import type { PathAttributes, ReceivedPath } from './path.ts';

/** A path that policies permit. */
export interface Candidate extends Omit<ReceivedPath, 'attributes'> {
  readonly attributes: PathAttributes;
  /** The metric of the route to its next hop; null: there is none. */
  readonly next_hop_metric: number | null;
}

/** In the order in which they decide. */
const steps = [
  { step: 'next_hop', rank: (one) => (one.neighbor === null || one.next_hop_metric !== null ? 0 : 1) },
  // bgpd gives its own paths a weight, which goes before everything.
  { step: 'local_origin', rank: (one) => (one.neighbor === null ? 0 : 1) },
  { step: 'local_pref', rank: ({ attributes }) => -attributes.local_pref },
  { step: 'as_path', rank: ({ attributes }) => attributes.as_path.length },
  { step: 'origin', rank: ({ attributes }) => origins.indexOf(attributes.origin) },
  { step: 'med', rank: ({ attributes }) => attributes.med },
  { step: 'next_hop_metric', rank: (one) => one.next_hop_metric ?? 0 },
  { step: 'router_id', rank: (one) => number(one.originator_id ?? one.neighbor?.router_id ?? '0.0.0.0') },
  { step: 'cluster_length', rank: (one) => one.cluster_length },
  { step: 'neighbor_address', rank: (one) => number(one.neighbor?.host_address ?? '::') },
] as const satisfies readonly { readonly step: string; readonly rank: (one: Candidate) => number | bigint }[];

const origins: readonly PathAttributes['origin'][] = ['IGP', 'EGP', 'incomplete'];

export type DecisionStep = (typeof steps)[number]['step'];

export interface Decision {
  /** Index of the best path; null: no path can be used. */
  readonly best: number | null;
  /** For each path, the step at which it lost to the best; null: it is the best, or equal to it. */
  readonly lostAt: readonly (DecisionStep | null)[];
}

export function decide(candidates: readonly Candidate[]): Decision {
  const order = candidates.map((_, i) => i).sort((a, b) => compare(candidates[a], candidates[b])?.sign ?? 0);
  const [first] = order;
  const best = first === undefined ? undefined : candidates[first];
  const isUsable = best !== undefined && steps[0].rank(best) === 0;
  return {
    best: isUsable ? (first ?? null) : null,
    lostAt: candidates.map((one) => (isUsable ? (compare(best, one)?.step ?? null) : 'next_hop')),
  };
}

/** The first step that tells them apart; a negative sign prefers the first. */
function compare(
  a: Candidate | undefined,
  b: Candidate | undefined,
): { readonly step: DecisionStep; readonly sign: number } | null {
  if (a === undefined || b === undefined) return null;
  for (const { step, rank } of steps) {
    const [first, second] = [rank(a), rank(b)];
    if (first !== second) return { step, sign: first < second ? -1 : 1 };
  }
  return null;
}

function number(address: string): bigint {
  return parseAddress(address)?.bits ?? 0n;
}
