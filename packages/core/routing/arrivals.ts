// Which paths to a prefix arrive at a peer, and what policies did to each before: at the peer that announces it, and at
// the reflector that passes it on. What the receiving peer does with them is in explain.ts.
import { type Prefix, parsePrefix } from '../net/prefix.ts';
import { evaluatePolicies, type PolicyEffect } from './evaluate.ts';
import { type ExplainedPath, explainRoute } from './explain.ts';
import { announcerCommunity, routerIdOf } from './identity.ts';
import type { Policy, Subnet } from './model.ts';
import type { PathAttributes, ReceivedPath } from './path.ts';
import { policiesFor, statementsOf } from './statements.ts';

export interface RoutedNetwork {
  readonly asNumber: number;
  readonly policies: readonly Policy[];
  /** Addresses of route reflectors in the order of preference; null: every two peers have a session. */
  readonly reflectors: readonly string[] | null;
  /** Whether the session between two addresses is established, or nobody has said yet that it is not. */
  readonly isUp: (one: string, other: string) => boolean;
  /** Whether a peer is reached in the overlay. */
  readonly isReached: (address: string) => boolean;
}

/** A path of one announcer, as the peer has it. */
export interface PathToPrefix {
  /** The address of the announcer. */
  readonly announcer: string;
  /** Who sends it to the peer: the announcer or a reflector; null: nobody, or it is the peer's own. */
  readonly sender: string | null;
  readonly attributes: PathAttributes | null;
  readonly best: boolean;
  readonly because: string;
  readonly policies: readonly PolicyEffect[];
}

interface Arrival {
  readonly announcer: string;
  /** null: it does not arrive, because of `lost`. */
  readonly received: ReceivedPath | null;
  readonly lost: string;
  readonly policies: readonly PolicyEffect[];
}

/** `peer`: its address; null: any peer that announces nothing and is no reflector. */
export function pathsTo(whole: RoutedNetwork, subnet: Subnet, peer: string | null): PathToPrefix[] {
  const network = { ...whole, policies: policiesFor(whole.policies, prefixOf(subnet)) };
  const arrivals = subnet.announcers.map((one) => arrivalOf(network, { subnet, peer, ...one }));
  const explained = explainRoute({
    prefix: subnet.prefix,
    speaker: { as_number: network.asNumber, host_address: peer ?? '' },
    policies: network.policies,
    paths: arrivals.flatMap(({ received }) => received ?? []),
    nextHopMetric: (address) => (network.isReached(address) ? 0 : null),
  });
  const byPath = new Map<ReceivedPath, ExplainedPath>(explained.map((one) => [one.received, one]));
  return arrivals.map(({ announcer, received, lost, policies }) => {
    const path = received === null ? undefined : byPath.get(received);
    const sender = received?.neighbor?.host_address ?? null;
    if (path === undefined)
      return { announcer, sender, attributes: null, best: false, because: lost, policies };
    const { attributes, best, because } = path;
    const all = withoutRepeated([...policies, ...path.policies]);
    return { announcer, sender, attributes, best, because, policies: all };
  });
}

function arrivalOf(
  network: RoutedNetwork,
  {
    subnet,
    peer,
    next_hop: announcer,
    preference,
  }: {
    readonly subnet: Subnet;
    readonly peer: string | null;
    readonly next_hop: string;
    readonly preference: number;
  },
): Arrival {
  const origin: PathAttributes = {
    local_pref: preference,
    med: 0,
    as_path: [],
    origin: 'IGP',
    communities: [],
    announcer: announcerCommunity(network.asNumber, announcer),
    next_hop: announcer,
  };
  const path = { attributes: origin, neighbor: null, originator_id: null, cluster_length: 0 };
  if (announcer === peer) return { announcer, received: path, lost: '', policies: [] };
  const exported = evaluated(network, 'export', subnet, origin);
  const { policies } = exported;
  if (exported.attributes === null) {
    return { announcer, received: null, lost: 'An export policy of its announcer denies it.', policies };
  }
  const sender = senderOf(network, announcer, peer);
  if (sender === null) return { announcer, received: null, lost: notEstablished, policies };
  const neighbor = { host_address: sender, router_id: routerIdOf(sender) };
  if (sender === announcer) {
    const received = { ...path, attributes: exported.attributes, neighbor };
    return { announcer, received, lost: '', policies };
  }
  const reflected = evaluated(network, 'import', subnet, exported.attributes);
  const all = [...policies, ...reflected.policies];
  if (reflected.attributes === null) {
    return { announcer, received: null, lost: 'A route reflector’s import policy denies it.', policies: all };
  }
  const originator_id = routerIdOf(announcer);
  const received = { attributes: reflected.attributes, neighbor, originator_id, cluster_length: 1 };
  return { announcer, received, lost: '', policies: all };
}

const notEstablished =
  'It does not arrive: no BGP session that would bring it is Established (system_sdwan_get_bgp_sessions).';

/**
 * By whom the paths to a prefix come to a peer, as a text: two peers with the same text have the same paths, with the same
 * attributes.
 */
export function arrivalKey(network: RoutedNetwork, { announcers }: Subnet, peer: string): string {
  return announcers
    .map(({ next_hop: announcer }) => (announcer === peer ? 'self' : senderOf(network, announcer, peer)))
    .join(' ');
}

/** Who passes the path of the announcer on to the peer: itself, or a reflector with both sessions; null: nobody. */
function senderOf(
  { reflectors, isUp }: RoutedNetwork,
  announcer: string,
  peer: string | null,
): string | null {
  const hears = (from: string) => peer === null || isUp(from, peer);
  if (reflectors === null) return hears(announcer) ? announcer : null;
  const isDirect = reflectors.includes(announcer) || (peer !== null && reflectors.includes(peer));
  if (isDirect && hears(announcer)) return announcer;
  const passing = reflectors.filter((one) => one !== announcer && one !== peer);
  return passing.find((one) => isUp(announcer, one) && hears(one)) ?? null;
}

function evaluated(
  { policies, asNumber }: RoutedNetwork,
  direction: Policy['direction'],
  subnet: Subnet,
  attributes: PathAttributes,
) {
  const path = { prefix: prefixOf(subnet), attributes };
  return evaluatePolicies(statementsOf(policies, direction), path, asNumber);
}

export function prefixOf({ prefix: text }: Subnet): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`not a prefix: ${text}`);
  return prefix;
}

/** A reflector evaluates the same imports as the peer: what both did is said once. */
function withoutRepeated(effects: readonly PolicyEffect[]): PolicyEffect[] {
  return [...new Map(effects.map((one) => [JSON.stringify(one), one])).values()];
}
