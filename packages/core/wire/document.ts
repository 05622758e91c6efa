// The node document: what one machine should be, as a flat set of entries by key. A flat set because then a
// change for a node is "set these, remove those", whatever the entries mean, and merging two changes is trivial.
// A new kind needs a line in `entryCapabilities` and carries its key (`UnknownEntry`); a member that is added to a kind
// is optional, and an agent that does not know it passes it over.
import { z } from 'zod';
import { tag } from '../intent/common.ts';
import * as overlayLimits from '../limits/overlay.ts';
import * as textsLimits from '../limits/texts.ts';
import { anycastHolderEntry, healthCheckEntry } from './anycast-entries.ts';
import { openObject } from './open-object.ts';
import {
  bgpEntry,
  bgpNeighborEntry,
  bgpResetEntry,
  lanEntry,
  podsEntry,
  routePolicyEntry,
  subnetEntry,
} from './routing-entries.ts';
import {
  address,
  addressWithLength,
  endpoint,
  handle,
  id,
  interfaceName,
  key,
  port,
  publicKey,
} from './texts.ts';
import { tunnelName } from './tunnels.ts';

/** A WireGuard interface that the node must have. `public_key` names which of the node's keys it uses. */
export const interfaceEntry = openObject({
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
  mtu: z.int().min(overlayLimits.overlayMtuMin).max(overlayLimits.overlayMtuMax),
  /** Addresses with their length, such as fd00::100/128. */
  addresses: z.array(addressWithLength).max(textsLimits.addressesPerEntryMax),
  /** Further addresses (with their length) at which the node answers probes, and nothing else. */
  probe_addresses: z.array(addressWithLength).max(textsLimits.addressesPerEntryMax),
});

/** A WireGuard peer of one of those interfaces. */
export const peerEntry = openObject({
  kind: z.literal('peer'),
  interface: interfaceName,
  peer_id: id,
  public_key: publicKey,
  /** null: the other side calls, or the kernel has learnt where it is; never written then. */
  endpoint: endpoint.nullable(),
  /** Where to call when the machine cannot use `endpoint`, or nobody answers there. Absent: nowhere. */
  fallback_endpoints: z
    .array(endpoint)
    .min(1)
    .max(overlayLimits.peerEndpointsMax - 1)
    .optional(),
  allowed_ips: z.array(addressWithLength).max(textsLimits.allowedIpsPerPeerMax),
  /** Seconds; 0: off. */
  keepalive: z.int().min(0).max(65535),
});

/**
 * A route into the overlay, from the address of the network's leaf interface. By itself the node uses the first
 * interface of `via` whose path is alive; when none is, it leaves the route out if another route of the document
 * covers the destination by a path that is alive, and else keeps the first.
 */
export const routeEntry = openObject({
  kind: z.literal('route'),
  network_id: id,
  destination: addressWithLength,
  via: z.array(interfaceName).min(1).max(textsLimits.waysPerDestinationMax),
});

/** The node forwards packets between peers of this network (and never between networks). */
export const forwardingEntry = openObject({
  kind: z.literal('forwarding'),
  network_id: id,
  handle,
});

/**
 * A path that the node probes by itself (wire/probe.ts). path: whether the hub behind a transit interface is there.
 * forwarding: whether it forwards to another hub, at the target. direct: whether a spoke is met without a hub.
 */
export const probeEntry = openObject({
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
export const watchEntry = openObject({
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
export const virtualIpEntry = openObject({
  kind: z.literal('virtual_ip'),
  network_id: id,
  virtual_ip_id: id,
  interface: interfaceName,
  addresses: z.array(addressWithLength).min(1).max(textsLimits.addressesPerEntryMax),
  /** Rises with every change of the holder. */
  epoch: z.int().min(0).max(textsLimits.revisionMax),
  /** null: no other node can become its holder, so none is needed. */
  lease: z
    .strictObject({
      witnesses: z.array(address).max(textsLimits.witnessesPerLeaseMax),
      enough: z.int().min(1).max(textsLimits.witnessesPerLeaseMax),
    })
    .nullable(),
});

/**
 * An address that several peers answer for: by which tunnels, in the operator's order. The node sends to the nearest of
 * those that it has whose path is alive (`anycast_holder`); a spoke without such a one leaves that to its hub.
 */
export const anycastEntry = openObject({
  kind: z.literal('anycast'),
  network_id: id,
  virtual_ip_id: id,
  destinations: z.array(addressWithLength).min(1).max(textsLimits.addressesPerEntryMax),
  by: z.array(tunnelName).min(1).max(textsLimits.waysPerDestinationMax),
});

/** Packets of the network are evaluated by its rules; what no rule names is evaluated by the policy on its way in. */
export const firewallEntry = openObject({
  kind: z.literal('firewall'),
  network_id: id,
  handle,
  prefixes: z.array(addressWithLength).max(textsLimits.prefixesPerNetworkMax),
  default_policy: z.enum(['accept', 'drop']),
  /** Connections that the rules no longer allow are ended when rules change. */
  rematch: z.boolean(),
});

/** Whom one side of a rule means. Addresses are without length; a group is that of `member` entries. */
export const ruleSide = z.discriminatedUnion('kind', [
  openObject({
    kind: z.literal('host'),
    addresses: z.array(address).min(1).max(textsLimits.addressesPerEntryMax),
  }),
  openObject({ kind: z.literal('group'), group: tag }),
  openObject({ kind: z.literal('cidr'), cidr: addressWithLength }),
  openObject({ kind: z.literal('all') }),
]);
export type RuleSide = z.infer<typeof ruleSide>;

/** A firewall rule. Which of two decides about a packet that both name: compile/firewall/rule-order.ts. */
export const ruleEntry = openObject({
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
export const memberEntry = openObject({
  kind: z.literal('member'),
  network_id: id,
  group: tag,
  addresses: z.array(address).min(1).max(textsLimits.addressesPerEntryMax),
});

/** On its hub: a device without an agent, for which the hub evaluates packets by the rules. */
export const deviceEntry = openObject({
  kind: z.literal('device'),
  network_id: id,
  user_device_id: id,
  addresses: z.array(address).min(1).max(textsLimits.addressesPerEntryMax),
});

/** On a hub: a port mapping from outside to an address of the overlay. */
export const portMappingEntry = openObject({
  kind: z.literal('port_mapping'),
  network_id: id,
  port_mapping_id: id,
  external_address: address,
  external_port: port,
  protocol: z.enum(['tcp', 'udp']),
  target_address: address,
  target_port: port,
  /** Empty: from everywhere. */
  source_cidrs: z.array(addressWithLength).max(overlayLimits.mappingSourceCidrsMax),
  /** New connections a second; null: no limit. */
  rate_limit: z.int().min(1).max(overlayLimits.mappingRateMax).nullable(),
  /** Connections at once; null: no limit. */
  max_connections: z.int().min(1).max(overlayLimits.mappingConnectionsMax).nullable(),
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
  subnetEntry,
  lanEntry,
  podsEntry,
  bgpEntry,
  bgpNeighborEntry,
  routePolicyEntry,
  bgpResetEntry,
  anycastHolderEntry,
  healthCheckEntry,
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
export type EntryKind = EntryValue['kind'];

/** From which capability on a node knows the entries of a kind. */
export const entryCapabilities: Readonly<Record<EntryKind, number>> = {
  interface: 1,
  peer: 1,
  route: 1,
  forwarding: 1,
  probe: 2,
  watch: 2,
  virtual_ip: 2,
  anycast: 2,
  firewall: 2,
  rule: 2,
  member: 2,
  device: 2,
  port_mapping: 2,
  subnet: 5,
  lan: 5,
  pods: 5,
  bgp: 5,
  bgp_neighbor: 5,
  route_policy: 5,
  bgp_reset: 5,
  anycast_holder: 5,
  health_check: 5,
};

/** Who knows which entries. */
export interface EntryTable {
  /** The capability that entries of a kind need. */
  needs(kind: EntryKind): number;
  /** Whoever has this one knows all entries. */
  readonly newest: number;
}

export const entryTable: EntryTable = {
  needs: (kind) => entryCapabilities[kind],
  newest: Math.max(...Object.values(entryCapabilities)),
};

function isEntryKind(kind: string): boolean {
  return Object.hasOwn(entryCapabilities, kind);
}

/**
 * An entry of a kind that is not known here, from a later platform: kept as it came, and not applied. It says its key
 * itself, which begins with its kind, so that it can be removed and counts in the document's hash.
 */
export const unknownEntry = openObject({
  kind: z
    .string()
    .max(textsLimits.entryKindLengthMax)
    .regex(/^[a-z][a-z0-9_]*$/, 'is not a kind of entry')
    .refine((kind) => !isEntryKind(kind), 'is a known kind')
    .brand<'unknown kind'>(),
  key,
}).refine(({ kind, key: own }) => own.startsWith(`${kind}/`), 'has a key of another kind');
export type UnknownEntry = z.infer<typeof unknownEntry>;

/** An entry as it comes over a stream. */
export const sentEntry = z.union([entryValue, unknownEntry]);
export type SentEntry = EntryValue | UnknownEntry;

export function isKnownEntry(value: SentEntry): value is EntryValue {
  return isEntryKind(value.kind);
}

export function sentEntryKey(value: SentEntry): string {
  return isKnownEntry(value) ? entryKey(value) : value.key;
}

/** The key of the entry of a tunnel. */
export function tunnelKey(tunnel: Pick<PeerEntry, 'interface' | 'public_key'>): string {
  return `peer/${tunnel.interface}/${tunnel.public_key}`;
}

export function entryKey(value: EntryValue): string {
  switch (value.kind) {
    case 'interface':
      return `interface/${value.name}`;
    case 'peer':
      return tunnelKey(value);
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
    case 'subnet':
    case 'lan':
    case 'pods':
    case 'bgp':
    case 'bgp_neighbor':
    case 'route_policy':
    case 'bgp_reset':
    case 'anycast_holder':
    case 'health_check':
      return value.key;
  }
}
