// Handlers: which way packets for prefixes behind peers go, why, and the configuration that makes it so.
import { isTransit } from '@powernode/core/compile/entries';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { ExplainedPathShown } from '@powernode/core/intent/bgp';
import { type PathToPrefix, pathsTo, type RoutedNetwork } from '@powernode/core/routing/arrivals';
import { configText } from '@powernode/core/routing/config-lines';
import { routingOf } from '@powernode/core/routing/from-entries';
import { hopOrder } from '@powernode/core/routing/hop-order';
import type { Subnet } from '@powernode/core/routing/model';
import { renderBgpd } from '@powernode/core/routing/render';
import { NodeDocument } from '@powernode/core/wire/node-document';
import type { ActionContext, HandlersOf } from '../../context.ts';
import { loadedNetwork } from '../firewall/loaded-network.ts';
import { networkRow, type PeerRow, peerRow } from '../rows.ts';
import { failingHolders } from '../virtual-ips/holders.ts';
import { noBgpd, peersByAddress, type RoutingFacts, routingFacts } from './routing-facts.ts';
import { type SessionRow, sessionsOf, shownRefusal } from './sessions.ts';
import {
  announcedToAll,
  pathsToHeld,
  reachOf,
  type Sources,
  sourcesOf,
  staticNetwork,
  staticRoutesOf,
} from './static-routes.ts';

export const routeHandlers: HandlersOf<'getBgpConfigForPeer' | 'getRoutingSummary' | 'explainRoute'> = {
  async getBgpConfigForPeer(context, input) {
    const peer = await peerRow(context, input.peer_id);
    const index = await loadedNetwork(context, peer.network_id);
    const entries = index.compile(peer.instance_id);
    const document = NodeDocument.of(new Map(entries.map(({ key, value }) => [key, value])));
    const routing = routingOf(document, peer.network_id, await withheldBy(context, peer));
    return { peer_id: peer.id, config: routing === null ? '' : configText(renderBgpd(routing)) };
  },

  async getRoutingSummary(context, input) {
    const network = await networkRow(context, input.network_id);
    const facts = await routingFacts(context, network.id);
    const routed = await routedNetwork(context, network.id, facts);
    const isStatic = network.routing_mode === 'static';
    const sources = await sourcesOf(context, network.id);
    const routes = facts.subnets.map((subnet) => summaryOf({ subnet, facts, routed }));
    return {
      routing_mode: network.routing_mode,
      as_number: facts.asNumber,
      static_routes: await staticRoutesOf(context, { network, facts, sources, routes }),
      bgp_routes: (isStatic ? [] : routes).flatMap(
        ({ prefix, virtualIpId, announcers, withoutBgp, used }) => {
          if (announcers.length === 0 && withoutBgp.length > 0) return [];
          const [best = null, ...others] = used;
          const source =
            virtualIpId === undefined
              ? bgpSource({ prefix, holders: announcers, best }, sources)
              : `virtual_ip:${virtualIpId}`;
          // Of several that are as good each peer uses the one that is nearest to it.
          const choice = others.length > 0 ? { best: null, nearest_of: used } : { best, nearest_of: [] };
          return { prefix, source, holders: announcers, ...choice };
        },
      ),
    };
  },

  async explainRoute(context, input) {
    return { paths: await explainRouteTo(context, { peerId: input.peer_id, prefix: input.prefix }) };
  },
};

interface RouteSummary {
  readonly prefix: string;
  readonly virtualIpId: string | undefined;
  /** Peers that announce it. */
  readonly announcers: string[];
  /** Peers that are in front of it and have no FRR. */
  readonly withoutBgp: string[];
  /** The peer that others use; several: each uses the nearest. */
  readonly used: string[];
  /** Those of them that have no FRR. */
  readonly usedStatically: string[];
}

/** As a peer sees it that announces nothing itself. */
function summaryOf(of: {
  readonly subnet: Subnet;
  readonly facts: RoutingFacts;
  readonly routed: RoutedNetwork;
}): RouteSummary {
  const { facts, subnet, routed } = of;
  const { prefix, virtualIpId } = subnet;
  const peerOf = peersByAddress(facts);
  const isStatic = (address: string) => facts.withoutBgp.has(address);
  const idsOf = (addresses: readonly string[]) => addresses.flatMap((address) => peerOf.get(address) ?? []);
  const best = pathsTo(routed, subnet, null).flatMap((path) => (path.best ? path.announcer : []));
  const inFront = subnet.announcers.map((one) => ({ ...one, is_static: isStatic(one.next_hop) }));
  const reached = inFront
    .filter(({ withdrawn }) => withdrawn === undefined || withdrawn === noBgpd)
    .filter((one) => !one.is_static || routed.isReached(one.next_hop))
    .sort((a, b) => b.preference - a.preference);
  const order = hopOrder(reached, best).map(({ address }) => address);
  // BGP takes one path of a LAN, and all of an anycast address that are as good.
  const used = virtualIpId === undefined ? order.slice(0, 1) : order;
  const announcers = inFront.filter((one) => one.withdrawn === undefined && !one.is_static);
  return {
    ...{ prefix, virtualIpId },
    announcers: idsOf(announcers.map((one) => one.next_hop)),
    withoutBgp: idsOf(inFront.flatMap((one) => (one.is_static ? one.next_hop : []))),
    used: idsOf(used),
    usedStatically: idsOf(used.filter(isStatic)),
  };
}

export async function explainRouteTo(
  context: ActionContext,
  of: { readonly peerId: string; readonly prefix: string },
): Promise<ExplainedPathShown[]> {
  const peer = await peerRow(context, of.peerId);
  const facts = await routingFacts(context, peer.network_id);
  const subnet = facts.subnets.find(({ prefix }) => prefix === of.prefix);
  if (subnet === undefined) {
    return pathsToHeld(context, { networkId: peer.network_id, prefix: of.prefix });
  }
  if (facts.withoutBgp.has(peer.host_address)) {
    const routed = staticNetwork(context, facts);
    return showPaths(pathsTo(routed, announcedToAll(subnet), peer.host_address), facts);
  }
  const routed = await routedNetwork(context, peer.network_id, facts);
  const paths = pathsTo(routed, subnet, peer.host_address).map((path) => {
    const isUnknown = path.sender !== null && routed.isUnreported(path.sender, peer.host_address);
    const more = [isUnknown ? unreported : '', routed.refusedOf(path.announcer) > 0 ? refused : ''];
    return { ...path, because: [path.because, ...more].filter((text) => text !== '').join(' ') };
  });
  return showPaths(paths, facts);
}

/** Addresses that its agent does not announce, because it has reported that their health checks fail. */
async function withheldBy(context: ActionContext, peer: PeerRow): Promise<string[]> {
  const failing = await failingHolders(context, peer.network_id);
  return failing.flatMap(({ peerId, address }) => (peerId === peer.id ? address : []));
}

const unreported = 'No instance has reported yet that the BGP session which brings it is Established.';

const refused =
  'Its peer also announces prefixes that are not behind it, which are refused (system_sdwan_get_bgp_sessions).';

interface ReportedNetwork extends RoutedNetwork {
  readonly isUnreported: (one: string, other: string) => boolean;
  /** How many announcements of the peer with that address its neighbors refuse. */
  readonly refusedOf: (address: string) => number;
}

export async function routedNetwork(
  context: ActionContext,
  networkId: string,
  facts: RoutingFacts,
): Promise<ReportedNetwork> {
  const index = await loadedNetwork(context, networkId);
  if (index.network.asNumber === undefined) {
    return { ...staticNetwork(context, facts), isUnreported: () => false, refusedOf: () => 0 };
  }
  const sessions = await sessionsOf(context, { network_id: networkId });
  const states = new Map(
    sessions.map(({ peer, neighbor, row }) => [
      `${peer.hostAddress} ${neighbor.hostAddress}`,
      row?.state ?? null,
    ]),
  );
  const statesOf = (one: string, other: string) => [
    states.get(`${one} ${other}`) ?? null,
    states.get(`${other} ${one}`) ?? null,
  ];
  return {
    asNumber: index.network.asNumber,
    policies: facts.policies,
    reflectors: reflectorsOf(index),
    isUp: (one, other) => statesOf(one, other).every((state) => state === null || state === 'Established'),
    isUnreported: (one, other) => statesOf(one, other).every((state) => state === null),
    refusedOf: (address) => {
      const seen = sessions.filter(({ neighbor }) => neighbor.hostAddress === address);
      return Math.max(0, ...seen.map(({ row }) => refusedCount(row)));
    },
    isReached: reachOf(context, facts),
  };
}

function refusedCount(row: SessionRow | null): number {
  const { ipv4 = 0, ipv6 = 0 } = shownRefusal(row) ?? {};
  return ipv4 + ipv6;
}

function reflectorsOf(index: NetworkIndex): string[] | null {
  if (index.network.topologyStrategy === 'full_mesh') return null;
  return Array.from(index.peers())
    .filter(isTransit)
    .map(({ hostAddress }) => hostAddress)
    .sort();
}

/** Who announces the path that is used, or the first holder: a slice of pods by its own id, else the peer. */
function bgpSource(
  route: { readonly prefix: string; readonly holders: readonly string[]; readonly best: string | null },
  sources: Sources,
): string {
  const peerId = route.best ?? route.holders[0] ?? '';
  const found = sources.get(`${route.prefix} ${peerId}`);
  return found?.source === 'pod_subnet' ? `pod_subnet:${found.id}` : `peer:${peerId}`;
}

function showPaths(paths: readonly PathToPrefix[], facts: RoutingFacts): ExplainedPathShown[] {
  const peerOf = peersByAddress(facts);
  return paths.map(({ announcer, attributes, best, because, policies }) => ({
    via_peer_id: peerOf.get(announcer) ?? '',
    attributes: attributes === null ? null : shownAttributes(attributes),
    best,
    because,
    policies: [...policies],
  }));
}

export function shownAttributes(attributes: NonNullable<PathToPrefix['attributes']>) {
  const { local_pref, med, as_path, origin, communities, next_hop } = attributes;
  return { local_pref, med, as_path: [...as_path], origin, communities: [...communities], next_hop };
}
