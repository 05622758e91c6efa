// Which paths to a prefix arrive at a peer, and what policies did to each before: at the peer that announces it, and at
// the reflector that passes it on. What the receiving peer does with them is in explain.ts.
import { type Prefix, parsePrefix } from '../net/prefix.ts';
import { announced } from './announced.ts';
import { type Evaluated, evaluatePolicies, type PolicyEffect } from './evaluate.ts';
import { type ExplainedPath, explainRoute } from './explain.ts';
import { routerIdOf } from './identity.ts';
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
  const byAnnouncer = subnet.announcers.map((one) => arrivalsOf(network, { subnet, peer, ...one }));
  const explained = explainRoute({
    prefix: subnet.prefix,
    speaker: { as_number: network.asNumber, host_address: peer ?? '' },
    policies: network.policies,
    paths: byAnnouncer.flat().flatMap(({ received }) => received ?? []),
    nextHopMetric: (address) => (network.isReached(address) ? 0 : null),
    isAnycast: subnet.virtualIpId !== undefined,
  });
  const byPath = new Map<ReceivedPath, ExplainedPath>(explained.map((one) => [one.received, one]));
  return byAnnouncer.map((arrivals) => {
    const paths = arrivals.map((arrival) => pathOf(arrival, byPath));
    const [first] = paths;
    const shown =
      paths.find(({ best }) => best) ?? paths.find(({ attributes }) => attributes !== null) ?? first;
    if (shown === undefined) throw new Error('an announcer without an arrival');
    return shown;
  });
}

function pathOf(
  { announcer, received, lost, policies }: Arrival,
  byPath: ReadonlyMap<ReceivedPath, ExplainedPath>,
): PathToPrefix {
  const path = received === null ? undefined : byPath.get(received);
  const sender = received?.neighbor?.host_address ?? null;
  if (path === undefined)
    return { announcer, sender, attributes: null, best: false, because: lost, policies };
  const { attributes, best, because } = path;
  const all = withoutRepeated([...policies, ...path.policies]);
  return { announcer, sender, attributes, best, because, policies: all };
}

/**
 * The paths of an announcer that come to the peer, that of the announcer itself first; those that are alike in everything
 * once. When none comes, why.
 */
function arrivalsOf(
  network: RoutedNetwork,
  {
    subnet,
    peer,
    next_hop: announcer,
    preference,
    withdrawn,
  }: {
    readonly subnet: Subnet;
    readonly peer: string | null;
    readonly next_hop: string;
    readonly preference: number;
    readonly withdrawn?: string;
  },
): readonly Arrival[] {
  if (withdrawn !== undefined) return [{ announcer, received: null, lost: withdrawn, policies: [] }];
  const { asNumber } = network;
  const exports = statementsOf(network.policies, 'export');
  const exported = announced({ prefix: subnet.prefix, announcer, preference }, { asNumber, exports });
  const { attributes, policies } = exported;
  const lost = (why: string) => [{ announcer, received: null, lost: why, policies }];
  if (attributes === null) return lost('An export policy of its announcer denies it.');
  const path = { attributes, neighbor: null, originator_id: null, cluster_length: 0 };
  if (announcer === peer) return [{ announcer, received: path, lost: '', policies }];
  if (attributes.communities.includes('no-advertise')) return lost(notAdvertised);
  const senders = sendersOf(network, announcer, peer);
  if (senders.length === 0) return lost(notEstablished);
  const arrivals = senders.map((sender): Arrival => {
    if (sender !== announcer)
      return reflectedBy(network, sender, { subnet, announcer, exported: { attributes, policies } });
    const neighbor = { host_address: sender, router_id: routerIdOf(sender) };
    return { announcer, received: { ...path, neighbor }, lost: '', policies };
  });
  const come = arrivals.filter(({ received }) => received !== null);
  return come.length === 0 ? arrivals.slice(0, 1) : withoutAlike(come);
}

/** Reflectors have the same policies: what two of them pass on is mostly the same. */
function withoutAlike(arrivals: readonly Arrival[]): Arrival[] {
  const found = new Map<string, Arrival>();
  for (const one of arrivals) {
    const text = JSON.stringify(one.received?.attributes);
    if (!found.has(text)) found.set(text, one);
  }
  return [...found.values()];
}

/** What a reflector passes on: the path after its import policies, unless it cannot use it itself. */
function reflectedBy(
  network: RoutedNetwork,
  sender: string,
  {
    subnet,
    announcer,
    exported,
  }: {
    readonly subnet: Subnet;
    readonly announcer: string;
    readonly exported: Pick<Evaluated, 'policies'> & { readonly attributes: PathAttributes };
  },
): Arrival {
  const imported = evaluated(network, subnet, exported.attributes);
  const { attributes } = imported;
  const policies = [...exported.policies, ...imported.policies];
  const lost = (why: string) => ({ announcer, received: null, lost: why, policies });
  if (attributes === null) return lost('A route reflector’s import policy denies it.');
  if (attributes.next_hop === sender) return lost(ownNextHop);
  if (attributes.communities.includes('no-advertise')) return lost(notAdvertised);
  const received = {
    ...{ attributes, neighbor: { host_address: sender, router_id: routerIdOf(sender) } },
    ...{ originator_id: routerIdOf(announcer), cluster_length: 1 },
  };
  return { announcer, received, lost: '', policies };
}

const ownNextHop =
  'Its next hop is the route reflector itself, which cannot use it and passes it on to nobody.';
const notAdvertised = 'Its community no-advertise keeps it from being passed on.';
const notEstablished =
  'It does not arrive: no BGP session that would bring it is Established (system_sdwan_get_bgp_sessions).';

/**
 * By whom the paths to a prefix come to a peer, as a text: two peers with the same text have the same paths, with the same
 * attributes.
 */
export function arrivalKey(network: RoutedNetwork, { announcers }: Subnet, peer: string): string {
  return announcers
    .map(({ next_hop: announcer }) =>
      announcer === peer ? 'self' : sendersOf(network, announcer, peer).join('+'),
    )
    .join(' ');
}

/**
 * Who passes the path of the announcer on to the peer: itself, and the reflectors that have both sessions. A reflector
 * passes on what another one announces to its clients alone.
 */
function sendersOf({ reflectors, isUp }: RoutedNetwork, announcer: string, peer: string | null): string[] {
  const hears = (from: string) => peer === null || isUp(from, peer);
  if (reflectors === null) return hears(announcer) ? [announcer] : [];
  const ofReflectors = [announcer, peer].filter((one) => one !== null && reflectors.includes(one)).length;
  const direct = ofReflectors > 0 && hears(announcer) ? [announcer] : [];
  const passing = ofReflectors < 2 ? reflectors.filter((one) => one !== announcer && one !== peer) : [];
  return [...direct, ...passing.filter((one) => isUp(announcer, one) && hears(one))];
}

/** By import policies. */
function evaluated(
  { policies, asNumber }: RoutedNetwork,
  subnet: Subnet,
  attributes: PathAttributes,
): Evaluated {
  const path = { prefix: prefixOf(subnet), attributes };
  return evaluatePolicies(statementsOf(policies, 'import'), path, asNumber);
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
