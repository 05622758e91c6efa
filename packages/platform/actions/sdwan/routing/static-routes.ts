// The routes of a network that BGP does not decide: all of a network with static routes; in one with iBGP those that peers
// without FRR use, and those to them, which all peers use; and addresses that one peer holds at a time, which follow their lease in both.
import type { ExplainedPathShown, StaticRouteShown } from '@powernode/core/intent/bgp';
import { withLength } from '@powernode/core/net/address';
import { pathsTo, type RoutedNetwork } from '@powernode/core/routing/arrivals';
import type { Subnet } from '@powernode/core/routing/model';
import type { ActionContext } from '../../context.ts';
import { peerNames } from '../peers/peer-names.ts';
import type { NetworkRow } from '../rows.ts';
import { noBgpd, peersByAddress, type RoutingFacts } from './routing-facts.ts';

export async function staticRoutesOf(
  context: ActionContext,
  of: {
    readonly network: NetworkRow;
    readonly facts: RoutingFacts;
    readonly sources: Sources;
    /** By prefix, the peers without FRR that others send to. */
    readonly routes: readonly { readonly prefix: string; readonly usedStatically: readonly string[] }[];
  },
): Promise<StaticRouteShown[]> {
  const { network, facts, sources, routes } = of;
  const held = (await heldAddresses(context, network.id)).map(({ prefix, virtualIpId, holder }) => ({
    ...{ prefix, via_peer_id: holder, source: `virtual_ip:${virtualIpId}` },
  }));
  const routed = staticNetwork(context, facts);
  const peerOf = peersByAddress(facts);
  const sourceOf = ({ prefix, virtualIpId }: Subnet, peerId: string) =>
    (virtualIpId === undefined ? sources.get(`${prefix} ${peerId}`)?.source : `virtual_ip:${virtualIpId}`) ??
    'declared_lan_subnet';
  const routesBy = (subnet: Subnet, addresses: readonly string[]) =>
    addresses.flatMap((address) => {
      const peerId = peerOf.get(address);
      if (peerId === undefined) return [];
      return [{ prefix: subnet.prefix, via_peer_id: peerId, source: sourceOf(subnet, peerId) }];
    });
  const best = facts.subnets.flatMap((subnet) =>
    routesBy(
      subnet,
      pathsTo(routed, announcedToAll(subnet), null).flatMap((path) => (path.best ? [path.announcer] : [])),
    ),
  );
  if (network.routing_mode === 'static') return [...best, ...held];
  const users = [...facts.withoutBgp].flatMap((address) => peerOf.get(address) ?? []).sort();
  if (users.length === 0) return held;
  const toUsers = routes.flatMap(({ prefix, usedStatically }) => {
    const subnet = facts.subnets.find((one) => one.prefix === prefix);
    return subnet === undefined
      ? []
      : usedStatically.map((peerId) => ({ prefix, via_peer_id: peerId, source: sourceOf(subnet, peerId) }));
  });
  const ofUsers = best.flatMap((route) => {
    // What is in front of itself it needs no route to.
    const others = users.filter((id) => id !== route.via_peer_id);
    return others.length === 0 ? [] : [{ ...route, peer_ids: others }];
  });
  return [...toUsers, ...ofUsers, ...held];
}

/** As peers see it that go by preference: those without FRR are in front of it like all others. */
export function announcedToAll(subnet: Subnet): Subnet {
  const announcers = subnet.announcers.map(({ withdrawn, ...one }) =>
    withdrawn === undefined || withdrawn === noBgpd ? one : { ...one, withdrawn },
  );
  return { ...subnet, announcers };
}

/** Every peer has the routes of all others, whoever is between them. */
export function staticNetwork(context: ActionContext, facts: RoutingFacts): RoutedNetwork {
  return {
    asNumber: facts.asNumber,
    policies: [],
    reflectors: null,
    isUp: () => true,
    isReached: reachOf(context, facts),
  };
}

/** By the address of a peer: whether it is known to be reachable, or nothing is known. */
export function reachOf(context: ActionContext, facts: RoutingFacts): (address: string) => boolean {
  const peerOf = peersByAddress(facts);
  return (address) => {
    const peerId = peerOf.get(address);
    return peerId !== undefined && context.services.deliverer.peerPresence(peerId).reachable !== false;
  };
}

interface HeldAddress {
  readonly prefix: string;
  readonly virtualIpId: string;
  readonly holder: string;
}

/** Addresses that one peer holds at a time, and are held now. */
async function heldAddresses(context: ActionContext, networkId: string): Promise<HeldAddress[]> {
  const rows = await context.trx
    .selectFrom('virtual_ips')
    .select(['id', 'address', 'ipv4_address', 'current_holder_peer_id'])
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', networkId)
    .where('anycast', '=', false)
    .orderBy('id')
    .execute();
  return rows.flatMap(({ id, address, ipv4_address: ipv4, current_holder_peer_id: holder }) =>
    holder === null
      ? []
      : [address, ipv4].flatMap((one) =>
          one === null ? [] : { prefix: withLength(one), virtualIpId: id, holder },
        ),
  );
}

/** The path to an address that one peer holds; none when nobody has it, or the prefix is none. */
export async function pathsToHeld(
  context: ActionContext,
  of: { readonly networkId: string; readonly prefix: string },
): Promise<ExplainedPathShown[]> {
  const held = (await heldAddresses(context, of.networkId)).find(({ prefix }) => prefix === of.prefix);
  if (held === undefined) return [];
  const names = await peerNames(context, [held.holder]);
  const because = `Held by ${names.get(held.holder) ?? held.holder} under a lease; BGP does not decide.`;
  return [{ via_peer_id: held.holder, attributes: null, best: true, because, policies: [] }];
}

export type Sources = ReadonlyMap<string, { readonly id: string; readonly source: string }>;

/** Where what is routed to comes from, by prefix and peer. */
export async function sourcesOf(context: ActionContext, networkId: string): Promise<Sources> {
  const rows = await context.trx
    .selectFrom('subnet_advertisements')
    .select(['id', 'prefix', 'peer_id', 'source'])
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', networkId)
    .where('withdrawn_at', 'is', null)
    .execute();
  return new Map(
    rows.map(({ id, prefix, peer_id: peerId, source }) => [`${prefix} ${peerId}`, { id, source }]),
  );
}
