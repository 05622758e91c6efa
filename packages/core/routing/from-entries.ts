// What one bgpd is configured from, read from the document of its node.
import type { EntryValue } from '../wire/document.ts';
import type { Routing, Subnet } from './model.ts';

/** null: the node does not speak BGP in the network. */
export function routingOf(entries: Iterable<EntryValue>, networkId: string): Routing | null {
  const own = [...entries].filter((entry) => 'network_id' in entry && entry.network_id === networkId);
  const of = <K extends EntryValue['kind']>(kind: K) =>
    own.filter((entry): entry is Extract<EntryValue, { kind: K }> => entry.kind === kind);
  const [speaker] = of('bgp');
  if (speaker === undefined) return null;
  const subnets = subnetsOf(of('subnet'));
  return {
    speaker,
    neighbors: of('bgp_neighbor').map(({ host_address, role }) => ({
      host_address,
      role,
      accept: role === 'reflector' ? null : announcedBy(subnets, host_address),
    })),
    subnets,
    policies: of('route_policy'),
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

/** The only prefixes that are accepted from a neighbor that passes on nothing of others. */
function announcedBy(subnets: readonly Subnet[], address: string): string[] {
  return subnets
    .filter(({ announcers }) => announcers.some(({ next_hop }) => next_hop === address))
    .map(({ prefix }) => prefix);
}
