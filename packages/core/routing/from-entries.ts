// What one bgpd is configured from, read from the document of its node.
import type { NodeDocument } from '../wire/node-document.ts';
import type { Routing, Subnet } from './model.ts';

/** null: the node does not speak BGP in the network. */
export function routingOf(document: NodeDocument, networkId: string): Routing | null {
  const speaker = document.get('bgp', networkId);
  if (speaker === undefined) return null;
  const entries = document.inNetwork('subnet', networkId);
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

/** By prefix, with all who announce it. */
export function subnetsOf(
  announced: readonly {
    readonly prefix: string;
    readonly next_hop: string;
    readonly preference: number;
  }[],
): Subnet[] {
  const byPrefix = Map.groupBy(announced, ({ prefix }) => prefix);
  return Array.from(byPrefix, ([prefix, announcers]) => ({
    prefix,
    announcers: announcers.map(({ next_hop, preference }) => ({ next_hop, preference })),
  }));
}
