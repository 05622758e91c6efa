// Entries of documents about prefixes behind peers, and about BGP, which decides whom packets for them go to.
import { z } from 'zod';
import * as overlayLimits from '../limits/overlay.ts';
import * as routingLimits from '../limits/routing.ts';
import { openObject } from './open-object.ts';
import { address, addressWithLength, handle, id, interfaceName, key } from './texts.ts';
import { tunnelsToPeer } from './tunnels.ts';

/**
 * A prefix behind a peer, such as its LAN, that nodes of the network route to. Several peers may be in front of one
 * prefix: of those whose path is alive the most preferred one is used. The route is in the network's own table.
 */
export const subnetEntry = openObject({
  kind: z.literal('subnet'),
  /** `subnet/<subnet_id>`, for agents that do not know the kind. */
  key,
  network_id: id,
  subnet_id: id,
  /** As the overlay knows it. */
  prefix: addressWithLength,
  /** The peer in front of it. */
  peer_id: id,
  /** The overlay address of that peer. */
  next_hop: address,
  /** The higher, the more preferred. */
  preference: z.int().min(0).max(overlayLimits.subnetPreferenceMax),
  /** By which tunnels that peer can be met; a node uses one that it has, else sends by a hub. */
  by: tunnelsToPeer,
  /** That peer has no bgpd, so BGP never has a path by it: it is used by its preference. Absent: it has one. */
  is_static: z.boolean().optional(),
});

/** On the peer in front of it: forwards between the prefix and the network, under the network's rules. */
export const lanEntry = openObject({
  kind: z.literal('lan'),
  /** `lan/<subnet_id>`, for agents that do not know the kind. */
  key,
  network_id: id,
  subnet_id: id,
  handle,
  /** As the overlay knows it. */
  prefix: addressWithLength,
  /** As its hosts know it, of the same length. Another one: addresses are rewritten one to one (RFC 2663 §2.1). */
  local_prefix: addressWithLength,
  /** Packets into the prefix get this machine's address there, because its router has no route back. */
  source_nat: z.boolean(),
});

/**
 * Pods of a cluster on the nodes of the network. Each node has a slice of the prefix, which is a `lan` of it and a `subnet`
 * of the others. The cluster may write routes to slices itself: flannel's host-gw has the address of the other node's
 * interface as the next hop, by the interface of the same name.
 */
export const podsEntry = openObject({
  kind: z.literal('pods'),
  /** `pods/<network_id>` */
  key,
  network_id: id,
  handle,
  /** What all slices are inside of. */
  prefix: addressWithLength,
  /** The leaf interface: the one with an address. */
  interface: interfaceName,
  /** The network's prefix of the same family, in which those next hops are; null: it has none. */
  next_hops: addressWithLength.nullable(),
});

const asNumber = z.int().min(1).max(4_294_967_295);
/** What one speaker of BGP is to another: a reflector passes on what its clients announce. */
export const bgpRole = z.enum(['reflector', 'client', 'mesh']);

/** The node speaks BGP in this network (RFC 4271), and decides by it which peer packets for a `subnet` go to. */
export const bgpEntry = openObject({
  kind: z.literal('bgp'),
  /** `bgp/<network_id>` */
  key,
  network_id: id,
  as_number: asNumber,
  /** Four bytes as an IPv4 address, unique in the network. */
  router_id: address,
  /** Its overlay address: what sessions are between, and the next hop of what it announces. */
  host_address: address,
  role: bgpRole,
});

/** A session with another peer. From a client and in a mesh only the subnets of that peer are accepted. */
export const bgpNeighborEntry = openObject({
  kind: z.literal('bgp_neighbor'),
  /** `bgp_neighbor/<network_id>/<peer_id>` */
  key,
  network_id: id,
  peer_id: id,
  host_address: address,
  /** What the neighbor is to this node. */
  role: bgpRole,
});

const metric = z.int().min(0).max(routingLimits.metricMax);
const prefixLength = z.int().min(0).max(128);

/** A statement of a route policy. Members that are absent match everything, and set nothing. */
export const routePolicyStatement = openObject({
  seq: z.int().min(0).max(routingLimits.statementSeqMax),
  match: openObject({
    prefix: addressWithLength.optional(),
    prefix_ge: prefixLength.optional(),
    prefix_le: prefixLength.optional(),
    /** The overlay address of the peer that announces the prefix. */
    announcer: address.optional(),
    community: z.string().max(routingLimits.communityTextMax).optional(),
    as_path: z.string().max(routingLimits.asPathTextMax).optional(),
  }),
  set: openObject({
    local_pref: metric.optional(),
    med: metric.optional(),
    community: z.string().max(routingLimits.communityTextMax).optional(),
    prepend: z
      .union([z.int().min(1).max(routingLimits.ownPrependMax), z.string().max(routingLimits.prependTextMax)])
      .optional(),
    next_hop: address.optional(),
  }),
  action: z.enum(['permit', 'deny']),
});

/** A route policy. Policies of one direction act in the order of their ids. */
export const routePolicyEntry = openObject({
  kind: z.literal('route_policy'),
  /** `route_policy/<route_policy_id>` */
  key,
  network_id: id,
  route_policy_id: id,
  direction: z.enum(['import', 'export']),
  statements: z.array(routePolicyStatement).max(routingLimits.statementsPerPolicyMax),
});

/**
 * A session of this node that is to be cleared, once for each `reset_id`: a soft reset where it is established (RFC 2918),
 * else from the beginning. A node remembers the last one that it did for each session.
 */
export const bgpResetEntry = openObject({
  kind: z.literal('bgp_reset'),
  /** `bgp_reset/<session_id>` */
  key,
  network_id: id,
  /** The neighbor, and its overlay address. */
  peer_id: id,
  host_address: address,
  reset_id: id,
});

export type SubnetEntry = z.infer<typeof subnetEntry>;
export type LanEntry = z.infer<typeof lanEntry>;
export type BgpNeighborEntry = z.infer<typeof bgpNeighborEntry>;
export type RoutePolicyEntry = z.infer<typeof routePolicyEntry>;
export type BgpResetEntry = z.infer<typeof bgpResetEntry>;
