// What one bgpd is configured from, read from the document of its node.

import { localPreferenceDefault } from '../limits/routing.ts';
import { withoutLength } from '../net/address.ts';
import type { NodeDocument } from '../wire/node-document.ts';
import type { Routing, Subnet } from './model.ts';

/**
 * null: the node does not speak BGP in the network. `withheld`: addresses of the node itself that it does not announce
 * now.
 */
export function routingOf(
  document: NodeDocument,
  networkId: string,
  withheld: readonly string[] = [],
): Routing | null {
  const speaker = document.get('bgp', networkId);
  if (speaker === undefined) return null;
  const entries = [
    ...document.inNetwork('subnet', networkId),
    ...anycastOf(document, networkId, { host: speaker.host_address, withheld }),
  ];
  const announced = Map.groupBy(entries, (entry) => entry.next_hop);
  return {
    speaker,
    neighbors: document.inNetwork('bgp_neighbor', networkId).map(({ host_address, role }) => ({
      host_address,
      role,
      // A reflector passes on what others announce; all others speak for themselves.
      accept:
        role === 'reflector' ? null : (announced.get(host_address) ?? []).map(({ prefix }) => prefix).sort(),
    })),
    subnets: subnetsOf(entries),
    policies: document.inNetwork('route_policy', networkId),
  };
}

/** Anycast addresses with their holders, none of which is preferred. */
function anycastOf(
  document: NodeDocument,
  networkId: string,
  own: { readonly host: string; readonly withheld: readonly string[] },
) {
  return document.inNetwork('anycast_holder', networkId).flatMap((entry) => {
    const { host_address: next_hop, destinations } = entry;
    const isWithheld =
      next_hop === own.host && destinations.some((one) => own.withheld.includes(withoutLength(one)));
    if (isWithheld) return [];
    return destinations.map((prefix) => ({ prefix, next_hop, preference: localPreferenceDefault }));
  });
}

/** By prefix, with all who announce it. */
export function subnetsOf(
  announced: readonly {
    readonly prefix: string;
    readonly next_hop: string;
    readonly preference: number;
    readonly withdrawn?: string;
  }[],
): Subnet[] {
  const byPrefix = Map.groupBy(announced, ({ prefix }) => prefix);
  return Array.from(byPrefix, ([prefix, announcers]) => ({
    prefix,
    announcers: announcers.map(({ next_hop, preference, withdrawn }) => ({
      ...{ next_hop, preference },
      ...(withdrawn === undefined ? {} : { withdrawn }),
    })),
  }));
}
