// What an entry of a node's document means, in one plain sentence: for dry runs, which show what a change would do.
import type { EntryValue } from '../wire/document.ts';
import { itemDescriptions } from './items/index.ts';
import type { EntryDescriptions } from './items/kind.ts';

const why = {
  path: 'whether the other end is reachable',
  forwarding: 'whether that hub forwards to the others',
  direct: 'whether that peer is reachable without a hub',
};

/** What nodes have of the network and its peers, then what each kind of item says of its own. */
const sentences: EntryDescriptions = {
  interface: ({ name, addresses, mtu }) =>
    `interface ${name} with ${addresses.join(', ') || 'no address'}, MTU ${mtu}`,
  peer: (peer) => {
    const place = peer.endpoint === null ? 'passive' : `called at ${peer.endpoint}`;
    const carried = peer.allowed_ips.join(', ') || 'nothing';
    return `peer ${peer.public_key} on ${peer.interface}, ${place}, carries ${carried}`;
  },
  route: ({ destination, via }) => `route to ${destination} by ${via.join(', else ')}`,
  pods: ({ prefix }) => `route slices of ${prefix} to the pods of peers`,
  forwarding: ({ handle }) => `forward between the peers of wg-${handle}`,
  probe: (probe) => `probe ${probe.target} through ${probe.interface}: ${why[probe.purpose]}`,
  firewall: ({ prefixes, default_policy: policy }) =>
    `evaluate the firewall rules on packets of ${prefixes.join(' and ')}; default policy: ${policy}`,
  member: ({ addresses, group }) =>
    `count ${addresses.join(' and ')} among the peers and devices tagged ${group}`,
  bgp: ({ as_number: as, router_id: routerId, role }) =>
    `speak BGP as ${role} of AS ${as}, router id ${routerId}`,
  bgp_neighbor: ({ host_address: address, role }) => `BGP session with the ${role} ${address}`,
  ...itemDescriptions,
};

export function describeEntry(value: EntryValue): string {
  // The sentence is that of the value's own kind.
  return (sentences[value.kind] as (value: EntryValue) => string)(value);
}
