// The node document: what one machine should be, as a flat set of entries by key. A flat set because then a
// change for a node is "set these, remove those", whatever the entries mean, and merging two changes is trivial.
import { z } from 'zod';
import { tag } from '../intent/common.ts';
import { overlayMtuMax, overlayMtuMin } from '../limits.ts';
import { address, addressWithLength, endpoint, handle, id, interfaceName, port, publicKey } from './texts.ts';

/** A WireGuard interface that the node must have. `public_key` names which of the node's keys it uses. */
export const interfaceEntry = z.strictObject({
  kind: z.literal('interface'),
  name: interfaceName,
  network_id: id,
  peer_id: id,
  /**
   * leaf: peers with exact AllowedIPs; transit: one hub with AllowedIPs of everything, and the routing table decides.
   * On a hub that is a relay: packets for peers that this hub has lost go to another hub, and come from there.
   */
  purpose: z.enum(['leaf', 'transit']),
  public_key: publicKey,
  /** 0: any free port. */
  listen_port: z.int().min(0).max(65535),
  mtu: z.int().min(overlayMtuMin).max(overlayMtuMax),
  /** Addresses with their length, such as fd00::100/128. */
  addresses: z.array(addressWithLength),
  /** Further addresses (with their length) at which the node answers probes, and nothing else. */
  probe_addresses: z.array(addressWithLength),
});

/** A WireGuard peer of one of those interfaces. */
export const peerEntry = z.strictObject({
  kind: z.literal('peer'),
  interface: interfaceName,
  peer_id: id,
  public_key: publicKey,
  /** null: the other side calls, or the kernel has learnt where it is; never written then. */
  endpoint: endpoint.nullable(),
  allowed_ips: z.array(addressWithLength),
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
  network_id: id,
  destination: addressWithLength,
  via: z.array(interfaceName).min(1),
});

/** The node forwards packets between peers of this network (and never between networks). */
export const forwardingEntry = z.strictObject({
  kind: z.literal('forwarding'),
  network_id: id,
  handle,
});

/**
 * A path that the node probes by itself (wire/probe.ts). path: whether the hub behind a transit interface is there.
 * forwarding: whether it forwards to another hub, at the target. direct: whether a spoke is met without a hub.
 */
export const probeEntry = z.strictObject({
  kind: z.literal('probe'),
  network_id: id,
  interface: interfaceName,
  /** The tunnel that the probe goes through. */
  public_key: publicKey,
  purpose: z.enum(['path', 'forwarding', 'direct']),
  /** An address that nothing but a route through that tunnel leads to. */
  target: address,
});

/** A hub tells the platform at once when probes of this peer cease to arrive, and when they arrive again. */
export const watchEntry = z.strictObject({
  kind: z.literal('watch'),
  network_id: id,
  virtual_ip_id: id,
  peer_id: id,
  /** What its probes come from. */
  address,
});

/**
 * An address that the node holds for now. With a lease the kernel answers for it only as long as enough witnesses
 * (those named, and the platform) have heard from the node within `addressLeaseMs`; once it has lapsed, only a
 * confirmation of this epoch by the platform begins it anew.
 */
export const virtualIpEntry = z.strictObject({
  kind: z.literal('virtual_ip'),
  network_id: id,
  virtual_ip_id: id,
  interface: interfaceName,
  addresses: z.array(addressWithLength).min(1),
  /** Rises with every change of the holder. */
  epoch: z.int().min(0),
  /** null: no other node can become its holder, so none is needed. */
  lease: z.strictObject({ witnesses: z.array(address), enough: z.int().min(1) }).nullable(),
});

/**
 * An address that several peers answer for: by which tunnels, the nearest first. The node sends to the first of those
 * that it has whose path is alive; a spoke without such a one leaves that to its hub.
 */
export const anycastEntry = z.strictObject({
  kind: z.literal('anycast'),
  network_id: id,
  virtual_ip_id: id,
  destinations: z.array(addressWithLength).min(1),
  by: z.array(z.strictObject({ interface: interfaceName, public_key: publicKey })).min(1),
});

/** Packets of the network are judged by its rules; what no rule names is judged by the policy on its way in. */
export const firewallEntry = z.strictObject({
  kind: z.literal('firewall'),
  network_id: id,
  handle,
  prefixes: z.array(addressWithLength),
  default_policy: z.enum(['accept', 'drop']),
});

/** Whom one side of a rule means. Addresses are without length; a group is that of `member` entries. */
export const ruleSide = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('host'), addresses: z.array(address).min(1) }),
  z.strictObject({ kind: z.literal('group'), group: tag }),
  z.strictObject({ kind: z.literal('cidr'), cidr: addressWithLength }),
  z.strictObject({ kind: z.literal('all') }),
]);
export type RuleSide = z.infer<typeof ruleSide>;

/** A firewall rule. Of two of the same rank the drop wins, then the one with the lower id (the older). */
export const ruleEntry = z.strictObject({
  kind: z.literal('rule'),
  network_id: id,
  rule_id: id,
  direction: z.enum(['ingress', 'egress', 'both']),
  action: z.enum(['accept', 'drop', 'reject']),
  from: ruleSide,
  to: ruleSide,
  protocol: z.enum(['any', 'tcp', 'udp', 'icmp6']),
  /** First and last port; null: all. */
  ports: z.tuple([port, port]).nullable(),
});

/** One member of a group that rules name. */
export const memberEntry = z.strictObject({
  kind: z.literal('member'),
  network_id: id,
  group: tag,
  addresses: z.array(address).min(1),
});

/** On its hub: a device without an agent, for which the hub judges packets by the rules. */
export const deviceEntry = z.strictObject({
  kind: z.literal('device'),
  network_id: id,
  user_device_id: id,
  addresses: z.array(address).min(1),
});

/** On a hub: a door from outside to an address of the overlay. */
export const portMappingEntry = z.strictObject({
  kind: z.literal('port_mapping'),
  network_id: id,
  port_mapping_id: id,
  external_address: address,
  external_port: port,
  protocol: z.enum(['tcp', 'udp']),
  target_address: address,
  target_port: port,
  /** Empty: from everywhere. */
  source_cidrs: z.array(addressWithLength),
  /** New connections a second; null: no limit. */
  rate_limit: z.int().min(1).nullable(),
  /** Connections at once; null: no limit. */
  max_connections: z.int().min(1).nullable(),
  /** What packets into the overlay are sent from, so that answers come back here. */
  source_address: address,
});

export const entryValue = z.discriminatedUnion('kind', [
  interfaceEntry,
  peerEntry,
  routeEntry,
  forwardingEntry,
  probeEntry,
  watchEntry,
  virtualIpEntry,
  anycastEntry,
  firewallEntry,
  ruleEntry,
  memberEntry,
  deviceEntry,
  portMappingEntry,
]);
export type InterfaceEntry = z.infer<typeof interfaceEntry>;
export type PeerEntry = z.infer<typeof peerEntry>;
export type RouteEntry = z.infer<typeof routeEntry>;
export type ForwardingEntry = z.infer<typeof forwardingEntry>;
export type ProbeEntry = z.infer<typeof probeEntry>;
export type WatchEntry = z.infer<typeof watchEntry>;
export type VirtualIpEntry = z.infer<typeof virtualIpEntry>;
export type AnycastEntry = z.infer<typeof anycastEntry>;
export type FirewallEntry = z.infer<typeof firewallEntry>;
export type RuleEntry = z.infer<typeof ruleEntry>;
export type MemberEntry = z.infer<typeof memberEntry>;
export type DeviceEntry = z.infer<typeof deviceEntry>;
export type PortMappingEntry = z.infer<typeof portMappingEntry>;
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
    case 'probe':
      return `probe/${value.target}`;
    case 'watch':
      return `watch/${value.virtual_ip_id}/${value.peer_id}`;
    case 'virtual_ip':
      return `virtual_ip/${value.virtual_ip_id}`;
    case 'anycast':
      return `anycast/${value.virtual_ip_id}`;
    case 'firewall':
      return `firewall/${value.handle}`;
    case 'rule':
      return `rule/${value.rule_id}`;
    case 'member':
      return `member/${value.network_id}/${value.group}/${value.addresses[0]}`;
    case 'device':
      return `device/${value.user_device_id}`;
    case 'port_mapping':
      return `port_mapping/${value.port_mapping_id}`;
  }
}
