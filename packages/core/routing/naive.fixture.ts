// Test support: a network of two reflectors and three clients, and what each has of a prefix: paths are passed on by the
// rules of BGP, one after another.

import { parsePrefix } from '../net/prefix.ts';
import { evaluatePolicies } from './evaluate.ts';
import { explainRoute } from './explain.ts';
import { announcerCommunity, routerIdOf as routerIdIn } from './identity.ts';
import type { Policy, Routing } from './model.ts';
import type { PathAttributes, ReceivedPath } from './path.ts';
import { addresses, asNumber, prefixes } from './random-routing.fixture.ts';
import { statementsOf } from './statements.ts';

/** For each prefix and each peer the preference with which it announces it; null: it does not. */
export type Preferences = readonly (readonly (number | null)[])[];

export interface NaiveNetwork {
  readonly policies: readonly Policy[];
  readonly preferences: Preferences;
  readonly routings: ReadonlyMap<string, Routing>;
}

const routerIds = new Map(addresses.map((address) => [address, routerIdIn(address)]));
const announcers = new Map(addresses.map((address) => [address, announcerCommunity(asNumber, address)]));
const blocks = new Map(prefixes.map((prefix) => [prefix, parsePrefix(prefix)]));
const routerIdOf = (address: string) => routerIds.get(address) ?? '';

export const reflectors = addresses.slice(0, 2);
const isReflector = (address: string) => reflectors.includes(address);

export function networkOf(policies: readonly Policy[], preferences: Preferences): NaiveNetwork {
  const subnets = prefixes.map((prefix, i) => ({
    prefix,
    announcers: addresses.flatMap((next_hop, j) => {
      const preference = preferences[i]?.[j] ?? null;
      return preference === null ? [] : [{ next_hop, preference }];
    }),
  }));
  const acceptedOf = (address: string) =>
    subnets
      .filter(({ announcers }) => announcers.some((one) => one.next_hop === address))
      .map(({ prefix }) => prefix);
  const routings = addresses.map((address): readonly [string, Routing] => {
    const others = addresses.filter(
      (other) => other !== address && (isReflector(address) || isReflector(other)),
    );
    return [
      address,
      {
        speaker: {
          as_number: asNumber,
          router_id: routerIdOf(address),
          host_address: address,
          role: isReflector(address) ? 'reflector' : 'client',
        },
        neighbors: others.map((other) => ({
          host_address: other,
          role: isReflector(other) ? 'reflector' : 'client',
          accept: isReflector(other) ? null : acceptedOf(other),
        })),
        subnets,
        policies,
      },
    ];
  });
  return { policies, preferences, routings: new Map(routings) };
}

type Received = ReceivedPath & { readonly from: string };

/** What the node receives of a prefix, and what it announces itself. */
function receivedBy(network: NaiveNetwork, address: string, prefix: string): ReceivedPath[] {
  const own = originated(network, address, prefix);
  const others = isReflector(address) ? addresses : reflectors;
  return [
    ...(own === null ? [] : [{ attributes: own, neighbor: null, originator_id: null, cluster_length: 0 }]),
    ...others
      .filter((other) => other !== address)
      .flatMap((other) => sent(network, other, address, prefix).map((path) => asAccepted(path, other))),
  ];
}

/** Of a neighbor that speaks for itself the router id is not believed: the path gets that of its address. */
function asAccepted(path: ReceivedPath, from: string): ReceivedPath {
  return isReflector(from) ? path : { ...path, originator_id: routerIdOf(from) };
}

/** After export policies; null: it announces nothing. */
function originated(network: NaiveNetwork, address: string, prefix: string): PathAttributes | null {
  const { preferences } = network;
  const preference = preferences[prefixes.indexOf(prefix)]?.[addresses.indexOf(address)] ?? null;
  if (preference === null) return null;
  return evaluated(network, 'export', prefix, {
    local_pref: preference,
    med: 0,
    as_path: [],
    origin: 'IGP',
    communities: [],
    announcer: announcers.get(address) ?? null,
    next_hop: address,
  });
}

function sent(network: NaiveNetwork, from: string, to: string, prefix: string): Received[] {
  const own = originated(network, from, prefix);
  const neighbor = { host_address: from, router_id: routerIdOf(from) };
  const mine =
    own === null || own.communities.includes('no-advertise')
      ? []
      : [{ from, attributes: own, neighbor, originator_id: null, cluster_length: 0 }];
  return isReflector(from) ? [...mine, ...reflected(network, from, to, prefix)] : mine;
}

/** From clients to all others, from other reflectors to clients. */
function reflected(network: NaiveNetwork, from: string, to: string, prefix: string): Received[] {
  const sources = addresses.filter(
    (one) => one !== from && one !== to && (!isReflector(one) || !isReflector(to)),
  );
  return sources
    .flatMap((source) => sent(network, source, from, prefix))
    .flatMap((path) => {
      const attributes = evaluated(network, 'import', prefix, path.attributes);
      const originator_id = path.originator_id ?? path.neighbor?.router_id ?? null;
      const isKept =
        attributes !== null &&
        attributes.next_hop !== from &&
        !attributes.communities.includes('no-advertise');
      if (!isKept || originator_id === routerIdOf(to) || originator_id === routerIdOf(from)) return [];
      const neighbor = { host_address: from, router_id: routerIdOf(from) };
      return [{ from, attributes, neighbor, originator_id, cluster_length: path.cluster_length + 1 }];
    });
}

function evaluated(
  { policies }: NaiveNetwork,
  direction: Policy['direction'],
  prefix: string,
  attributes: PathAttributes,
): PathAttributes | null {
  const block = blocks.get(prefix) ?? null;
  if (block === null) throw new Error(`not a prefix: ${prefix}`);
  return evaluatePolicies(statementsOf(policies, direction), { prefix: block, attributes }, asNumber)
    .attributes;
}

/** The paths that the node has, as text, sorted. */
export function tableOf(network: NaiveNetwork, address: string, prefix: string): string[] {
  const explained = explainRoute({
    prefix,
    speaker: { as_number: asNumber, host_address: address },
    policies: network.policies,
    paths: receivedBy(network, address, prefix),
    nextHopMetric: () => 0,
  });
  return explained
    .flatMap(({ received, attributes, best }) => {
      if (attributes === null || received.originator_id === routerIdOf(address)) return [];
      const { local_pref, med, origin, announcer, next_hop } = attributes;
      return JSON.stringify({
        neighbor: received.neighbor?.host_address ?? null,
        originator_id: received.originator_id,
        cluster_length: received.cluster_length,
        local_pref,
        med,
        as_path: attributes.as_path.join(' '),
        origin,
        communities: attributes.communities.join(' '),
        announcer,
        next_hop: received.neighbor === null ? null : next_hop,
        best,
      });
    })
    .sort();
}
