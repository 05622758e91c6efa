// Says of a prefix on a node which paths it has, what policies did to each, and why the best is the best.
import { parsePrefix } from '../net/prefix.ts';
import { type Candidate, type DecisionStep, decide } from './decide.ts';
import { evaluatePolicies, type PolicyEffect } from './evaluate.ts';
import type { Policy, Speaker } from './model.ts';
import type { PathAttributes, ReceivedPath } from './path.ts';
import { statementsOf } from './statements.ts';

export interface ExplainedPath {
  readonly received: ReceivedPath;
  /** After policies; null: denied. */
  readonly attributes: PathAttributes | null;
  readonly best: boolean;
  readonly because: string;
  readonly policies: readonly PolicyEffect[];
}

export interface RouteQuestion {
  readonly prefix: string;
  readonly speaker: Pick<Speaker, 'as_number' | 'host_address'>;
  readonly policies: readonly Policy[];
  readonly paths: readonly ReceivedPath[];
  /** The metric of the node's route to an address; null: there is none. */
  readonly nextHopMetric: (address: string) => number | null;
  /** Of paths that only a tie-break tells apart, the nearest announcer is used. */
  readonly isAnycast?: boolean;
}

export function explainRoute({
  prefix: text,
  speaker,
  policies,
  paths,
  nextHopMetric,
  isAnycast = false,
}: RouteQuestion): ExplainedPath[] {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`not a prefix: ${text}`);
  const statements = statementsOf(policies, 'import');
  const evaluated = paths.map((received) => {
    const { attributes, neighbor } = received;
    if (neighbor === null) return { received, attributes, refusal: null, policies: [] };
    const result = evaluatePolicies(statements, { prefix, attributes }, speaker.as_number);
    const refusal = result.attributes === null ? deniedSentence : null;
    // A path through the node itself would lead nowhere.
    if (result.attributes?.next_hop === speaker.host_address) {
      return { received, ...result, attributes: null, refusal: ownNextHopSentence };
    }
    return { received, ...result, refusal };
  });
  const candidates = evaluated.flatMap(({ received, attributes }): Candidate[] =>
    attributes === null
      ? []
      : [{ ...received, attributes, next_hop_metric: nextHopMetric(attributes.next_hop) }],
  );
  const { best, lostAt } = decide(candidates);
  const used = best === null ? undefined : candidates[best];
  const isAsGood = (at: number) =>
    at === best || (isTie(lostAt[at] ?? null) && isBeside(used, candidates[at]));
  const holders = new Set(
    candidates.flatMap(({ attributes }, at) => (isAsGood(at) ? attributes.announcer : [])),
  ).size;
  let next = 0;
  return evaluated.map(({ received, attributes, refusal, policies }) => {
    if (attributes === null)
      return { received, attributes, best: false, because: refusal ?? deniedSentence, policies };
    const at = next++;
    const isTied = isAnycast && best !== null && isAsGood(at) && holders > 1;
    const isBest = at === best || isTied;
    return {
      received,
      attributes,
      best: isBest,
      because: isTied ? nearestSentence : because(isBest, lostAt[at] ?? null, candidates.length),
      policies,
    };
  });
}

const deniedSentence = 'A policy denies it.';
/** bgpd uses a path beside the best one only with the same AS path, and to another next hop. */
function isBeside(best: Candidate | undefined, other: Candidate | undefined): boolean {
  if (best === undefined || other === undefined) return false;
  const [one, two] = [best.attributes, other.attributes];
  return one.as_path.join(' ') === two.as_path.join(' ') && one.next_hop !== two.next_hop;
}

/** Decided by that alone, or by nothing. */
function isTie(step: DecisionStep | null): boolean {
  return step === null || step === 'router_id' || step === 'cluster_length' || step === 'neighbor_address';
}

const nearestSentence =
  'It is as good as the path of another holder: the peer uses the nearest, by the round trips that it knows.';
const ownNextHopSentence = 'Its next hop is the peer itself, so it cannot be used.';

function because(isBest: boolean, step: DecisionStep | null, candidates: number): string {
  if (isBest) return candidates === 1 ? 'It is the only path.' : 'It is preferred to every other path.';
  return step === null ? 'It equals the best path.' : sentences[step];
}

const sentences = {
  next_hop: 'Its next hop is not reachable.',
  local_origin: 'The peer announces the prefix itself, and prefers that.',
  local_pref: 'Its local preference is lower than that of the best path.',
  as_path: 'Its AS path is longer than that of the best path.',
  origin: 'Its origin is less trusted than that of the best path.',
  med: 'Its MED is higher than that of the best path.',
  next_hop_metric: 'The route to its next hop has a higher metric.',
  router_id: 'All else is equal, and the router id of its announcer is higher.',
  cluster_length: 'All else is equal, and more reflectors have passed it on.',
  neighbor_address: 'All else is equal, and the address of its neighbor is higher.',
} as const satisfies Record<DecisionStep, string>;
