// The node document: what one machine should be, as a flat set of entries by key. A flat set because then a
// change for a node is "set these, remove those", whatever the entries mean, and merging two changes is trivial.
import { z } from 'zod';

/** A WireGuard interface that the node must have. `public_key` names which of the node's keys it uses. */
export const interfaceEntry = z.strictObject({
  kind: z.literal('interface'),
  name: z.string().regex(/^wg-[a-z0-9]{1,9}(?:-\d{1,2})?$/),
  network_id: z.string(),
  peer_id: z.string(),
  /** leaf: peers with exact AllowedIPs; transit: one hub with AllowedIPs ::/0, and the routing table decides. */
  purpose: z.enum(['leaf', 'transit']),
  public_key: z.string(),
  /** 0: any free port. */
  listen_port: z.int().min(0).max(65535),
  mtu: z.int(),
  /** Addresses with their length, such as fd00::100/128. */
  addresses: z.array(z.string()),
});

/** A WireGuard peer of one of those interfaces. */
export const peerEntry = z.strictObject({
  kind: z.literal('peer'),
  interface: z.string(),
  peer_id: z.string(),
  public_key: z.string(),
  /** null: the other side calls, or the kernel has learnt where it is; never written then. */
  endpoint: z.string().nullable(),
  allowed_ips: z.array(z.string()),
  /** Seconds; 0: off. */
  keepalive: z.int().min(0).max(65535),
});

/**
 * A route into the overlay, from the address of the network's leaf interface. By itself the node uses the first
 * interface of `via` whose path is alive; when none is, it leaves the route out if another route of the document
 * covers the destination by a path that is alive, and else keeps the first.
 */
export const routeEntry = z.strictObject({
  kind: z.literal('route'),
  network_id: z.string(),
  destination: z.string(),
  via: z.array(z.string()).min(1),
});

/** The node forwards packets between peers of this network (and never between networks). */
export const forwardingEntry = z.strictObject({
  kind: z.literal('forwarding'),
  network_id: z.string(),
  handle: z.string(),
});

export const entryValue = z.discriminatedUnion('kind', [
  interfaceEntry,
  peerEntry,
  routeEntry,
  forwardingEntry,
]);
export type InterfaceEntry = z.infer<typeof interfaceEntry>;
export type PeerEntry = z.infer<typeof peerEntry>;
export type RouteEntry = z.infer<typeof routeEntry>;
export type ForwardingEntry = z.infer<typeof forwardingEntry>;
export type EntryValue = z.infer<typeof entryValue>;

/** An entry on the wire: its key and its value. The key follows from the value (`entryKey`). */
export type WireEntry = readonly [key: string, value: EntryValue];

export function entryKey(value: EntryValue): string {
  switch (value.kind) {
    case 'interface':
      return `interface/${value.name}`;
    case 'peer':
      return `peer/${value.interface}/${value.public_key}`;
    case 'route':
      return `route/${value.destination}`;
    case 'forwarding':
      return `forwarding/${value.handle}`;
  }
}
