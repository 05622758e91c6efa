// Who speaks BGP with whom. The hubs that spokes keep an interface to are route reflectors (RFC 4456) and all others are
// their clients; a full mesh has a session between every two peers.
import { routerIdOf } from '../routing/identity.ts';
import type { EntryValue } from '../wire/document.ts';
import type { BgpNeighborEntry } from '../wire/routing-entries.ts';
import { isTransit, type PeerClass } from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';

type Role = BgpNeighborEntry['role'];

/** The node itself as a speaker. */
export function bgpEntries(network: NetworkModel, self: PeerModel): EntryValue[] {
  if (network.asNumber === undefined) return [];
  return [
    {
      kind: 'bgp',
      key: `bgp/${network.id}`,
      network_id: network.id,
      as_number: network.asNumber,
      router_id: routerIdOf(self.hostAddress),
      host_address: self.hostAddress,
      role: roleOf(network, isTransit(self)),
    },
  ];
}

/** The session of a node of the given peer class with another peer. */
export function bgpNeighborEntries(network: NetworkModel, other: PeerModel, from: PeerClass): EntryValue[] {
  if (network.asNumber === undefined) return [];
  const role = roleOf(network, isTransit(other));
  // As in haveSession: two clients meet by their reflectors.
  if (role === 'client' && from !== 'transit') return [];
  return [
    {
      kind: 'bgp_neighbor',
      key: `bgp_neighbor/${network.id}/${other.id}`,
      network_id: network.id,
      peer_id: other.id,
      host_address: other.hostAddress,
      role,
    },
  ];
}

/** Whether two peers have a session, or would have one if the network spoke BGP. */
export function haveSession(
  network: Pick<NetworkModel, 'topologyStrategy'>,
  one: PeerModel,
  other: PeerModel,
): boolean {
  if (one.id === other.id) return false;
  return network.topologyStrategy === 'full_mesh' || isTransit(one) || isTransit(other);
}

/** Whether others accept of the peer what is behind it and nothing else: it is no reflector, which passes on everything. */
export function speaksForItself(network: Pick<NetworkModel, 'topologyStrategy'>, peer: PeerModel): boolean {
  return roleOf(network, isTransit(peer)) !== 'reflector';
}

function roleOf(network: Pick<NetworkModel, 'topologyStrategy'>, isReflector: boolean): Role {
  if (network.topologyStrategy === 'full_mesh') return 'mesh';
  return isReflector ? 'reflector' : 'client';
}
