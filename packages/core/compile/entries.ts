// The rules of the overlay: what kinds of nodes there are, and which entries a node has of its own. Because of other
// peers: peer-entries.ts; because of other objects: items.ts. The rest of this folder only decides how often these
// functions are called.
//
// Spokes meet the first hubs (by slot) on a transit interface each, with AllowedIPs of everything, and the routing
// table decides which one carries a packet: WireGuard drops what arrives from a peer whose AllowedIPs do not cover the
// source, so two hubs on one interface would lose half of the traffic. For the same reason these hubs meet each other
// on relay interfaces of their own. All other pairs meet on the leaf interface with exact AllowedIPs. Two spokes meet
// when one can be called (full_mesh), or when hubs see both where they can be called (behind NATs that allow it).
import type { PeerId } from '../ids.ts';
import { keepaliveSeconds, peerEndpointsMax, relayPortStep, transitHubsMax } from '../limits/overlay.ts';
import { familyOf, formatEndpoint, parseAddress, parseEndpoint, withLength } from '../net/address.ts';
import { type Prefix } from '../net/prefix.ts';
import { directProbeAddress, probeAddressVia } from '../net/probe-address.ts';
import { endpointRefusal } from '../net/special-addresses.ts';
import {
  type EntryValue,
  type InterfaceEntry,
  type PeerEntry,
  type ProbeEntry,
  type RouteEntry,
  tunnelKey,
} from '../wire/document.ts';
import { fnv1a } from './fnv.ts';
import type { NetworkModel, PeerModel } from './model.ts';

export function leafInterfaceName(network: Pick<NetworkModel, 'handle'>): string {
  return `wg-${network.handle}`;
}

export function transitInterfaceName(network: NetworkModel, slot: number): string {
  return `wg-${network.handle}-${slot}`;
}

/** Endpoints at which a peer is reachable: its own, the preferred one first, and the one that hubs observe. */
interface ReachableEndpoints {
  readonly endpoints: readonly string[];
  readonly directEndpoint: string | null;
}

/** Peers are immutable, so the endpoints of each are checked once. */
const reachableEndpoints = new WeakMap<PeerModel, ReachableEndpoints>();

/**
 * The endpoints of a peer that a document may name. An endpoint that no other instance can reach, or that is inside of the
 * peer's own network, is left out, whatever the row has.
 */
function reachableEndpointsOf(peer: PeerModel): ReachableEndpoints {
  const known = reachableEndpoints.get(peer);
  if (known !== undefined) return known;
  const own = ownNetworkOf(peer);
  const fits = (text: string) => parseEndpoint(text) !== null && endpointRefusal(text, own) === null;
  const { endpoint, fallbackEndpoints, directEndpoint } = peer;
  const made = {
    endpoints: [...new Set(endpoint === null ? [] : [endpoint, ...(fallbackEndpoints ?? [])])].filter(fits),
    directEndpoint: directEndpoint !== null && fits(directEndpoint) ? directEndpoint : null,
  };
  reachableEndpoints.set(peer, made);
  return made;
}

/** The /64 that the peer's address is in, and its IPv4 address. */
function ownNetworkOf(peer: PeerModel): Prefix[] {
  const prefixes: Prefix[] = [];
  const host = parseAddress(peer.hostAddress);
  if (host?.family === 6) prefixes.push({ family: 6, bits: (host.bits >> 64n) << 64n, length: 64 });
  const ipv4 = peer.ipv4Address === null ? null : parseAddress(peer.ipv4Address);
  if (ipv4 !== null) prefixes.push({ family: 4, bits: ipv4.bits, length: 32 });
  return prefixes;
}

/** The endpoint of a spoke's leaf interface that hubs observe and other spokes may use; null: none. */
export function directEndpointOf(peer: PeerModel): string | null {
  return reachableEndpointsOf(peer).directEndpoint;
}

/** Where a device may call its hub, the preferred one first; empty: nowhere. */
export function deviceEndpoints(hub: PeerModel): readonly string[] {
  return reachableEndpointsOf(hub).endpoints;
}

/** The endpoints of tunnels to this peer, the preferred one first. Spokes have some in a full mesh only. */
export function tunnelEndpoints(network: NetworkModel, peer: PeerModel): readonly string[] {
  return peer.hubSlot !== null || network.topologyStrategy === 'full_mesh'
    ? reachableEndpointsOf(peer).endpoints
    : [];
}

/** The first of them, or null. */
export function tunnelEndpoint(network: NetworkModel, peer: PeerModel): string | null {
  return tunnelEndpoints(network, peer)[0] ?? null;
}

/**
 * The class of a peer. The entries that a node has because of other peers depend on its class only. transit: a hub that
 * spokes keep an interface to; hub: another hub; reachable: a spoke with an endpoint of its own; hole_punchable: a spoke
 * with an endpoint that hubs observe; unreachable: a spoke without an endpoint; keyless: an unreachable spoke without a
 * key for its leaf interface, from which it must not connect to a hub: the hub would take it for the transit interface
 * of the same key.
 */
export const peerClasses = [
  'transit',
  'hub',
  'reachable',
  'hole_punchable',
  'unreachable',
  'keyless',
] as const;
export type PeerClass = (typeof peerClasses)[number];

export function peerClassOf(network: NetworkModel, peer: PeerModel): PeerClass {
  if (isTransit(peer)) return 'transit';
  if (peer.hubSlot !== null) return 'hub';
  if (tunnelEndpoint(network, peer) !== null) return 'reachable';
  if (peer.directKey === null) return 'keyless';
  return directEndpointOf(peer) === null ? 'unreachable' : 'hole_punchable';
}

/** Spokes keep an interface to the hubs of the lowest slots that have an endpoint. */
export function isTransit(peer: PeerModel): peer is PeerModel & { readonly hubSlot: number } {
  return (
    peer.hubSlot !== null && peer.hubSlot <= transitHubsMax && reachableEndpointsOf(peer).endpoints.length > 0
  );
}

export type TransitHub = PeerModel & { readonly hubSlot: number };

export function transitHubs(peers: Iterable<PeerModel>): TransitHub[] {
  return [...peers].filter(isTransit).sort((a, b) => a.hubSlot - b.hubSlot);
}

/** Addresses that a peer advertises beside its own, with their length: those it holds, and those of its devices. */
export type AdvertisedAddresses = (peerId: PeerId) => readonly string[];

/** All addresses of a peer, own and advertised, with their length. In an order that depends on the addresses only. */
export function addressesOf(peer: PeerModel, advertised: AdvertisedAddresses): string[] {
  return [...ownAddresses(peer), ...[...advertised(peer.id)].sort()];
}

export function ownAddresses(peer: PeerModel): string[] {
  return hostAddressesOf(peer).map(withLength);
}

/** The same without length: the source addresses of its packets. */
export function hostAddressesOf(peer: PeerModel): string[] {
  return peer.ipv4Address === null ? [peer.hostAddress] : [peer.hostAddress, peer.ipv4Address];
}

export function prefixesOf(network: NetworkModel): string[] {
  return network.ipv4Prefix === null ? [network.prefix] : [network.prefix, network.ipv4Prefix];
}

/** Both families: prefixes behind peers may be IPv4 where the network itself is not. */
export const everything = ['::/0', '0.0.0.0/0'] as const;

/** A number for a pair of objects that spreads the ones over the others (rendezvous hashing). */
function affinity(id: string, hubId: PeerId): number {
  let hash = fnv1a(`${id}/${hubId}`);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/**
 * The order in which transit hubs are preferred by whatever has the id: stable, draining ones last. Spokes take the
 * id of their network, so that packets of two of them go by one hub in both directions: what filters by the way back,
 * or keeps the state of connections, sees both. A device has one hub only and takes its own, so devices are spread.
 */
export function preferredHubs<Hub extends PeerModel>(
  of: { readonly id: string },
  transit: readonly Hub[],
): Hub[] {
  return [...transit].sort(
    (a, b) =>
      Number(a.draining) - Number(b.draining) ||
      affinity(of.id, b.id) - affinity(of.id, a.id) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** The key of a peer's leaf interface. Spokes without an endpoint of their own have a separate key for it. */
export function leafKey(network: NetworkModel, peer: PeerModel): string {
  const peerClass = peerClassOf(network, peer);
  return peerClass === 'unreachable' || peerClass === 'hole_punchable'
    ? (peer.directKey ?? peer.publicKey)
    : peer.publicKey;
}

/** The transit hubs, and the advertised addresses of peers. */
export interface Hubs {
  readonly transit: readonly TransitHub[];
  readonly advertised: AdvertisedAddresses;
}

/** The entries of one node alone: its interfaces, a spoke's routes to the hubs, and a transit hub's relays to the others. */
export function ownEntries(network: NetworkModel, self: PeerModel, hubs: Hubs): EntryValue[] {
  const leaf = leafInterface(network, self, hubs.transit);
  if (isTransit(self)) return [leaf, ...relayEntries(network, self, hubs)];
  if (self.hubSlot !== null || hubs.transit.length === 0) return [leaf];
  const nameOf = (hub: TransitHub) => transitInterfaceName(network, hub.hubSlot);
  // A hub that was refused the IPv4 prefix leads its packets nowhere.
  const leading = (destination: string) =>
    familyOf(destination) === 6 ? hubs.transit : hubs.transit.filter((hub) => hub.ipv4Address !== null);
  return [
    leaf,
    ...hubs.transit.map((hub) => transitInterface(network, self, { name: nameOf(hub), port: 0 })),
    ...prefixesOf(network).flatMap((destination) => {
      // The IPv4 prefix covers something that a machine without an address of it needs.
      if (familyOf(destination) === 4 && self.ipv4Address === null) return [];
      const via = preferredHubs(network, leading(destination)).map(nameOf);
      return via.length === 0 ? [] : [routeEntry(network, { destination, via })];
    }),
  ];
}

function leafInterface(
  network: NetworkModel,
  self: PeerModel,
  transit: readonly TransitHub[],
): InterfaceEntry {
  const callable = self.hubSlot !== null || tunnelEndpoint(network, self) !== null;
  const probes = isTransit(self)
    ? transit.map((hub) => probeAddressVia(self.hostAddress, hub.hubSlot))
    : [directProbeAddress(self.hostAddress)];
  return {
    kind: 'interface',
    name: leafInterfaceName(network),
    network_id: network.id,
    peer_id: self.id,
    purpose: 'leaf',
    public_key: leafKey(network, self),
    listen_port: callable ? self.listenPort : 0,
    mtu: network.mtu,
    addresses: ownAddresses(self),
    probe_addresses: probes.map(withLength),
  };
}

/** The entries that all nodes of a class have alike; of the other peers they depend on the transit hubs only. */
export function peerClassEntries(
  network: NetworkModel,
  from: PeerClass,
  transit: readonly TransitHub[],
): EntryValue[] {
  const firewall: EntryValue = {
    kind: 'firewall',
    network_id: network.id,
    handle: network.handle,
    prefixes: prefixesOf(network),
    default_policy: network.firewallDefaultPolicy,
    rematch: network.rematchConnections,
  };
  const ofAll = [firewall, ...podsEntries(network)];
  if (from !== 'transit' && from !== 'hub') {
    return [...ofAll, ...transit.flatMap((hub) => hubProbeEntries(network, hub, transit))];
  }
  // A hub meets everyone on its leaf interface, so the whole prefix goes there.
  const via = [leafInterfaceName(network)];
  return [
    ...ofAll,
    ...prefixesOf(network).map((destination) => routeEntry(network, { destination, via })),
    { kind: 'forwarding', network_id: network.id, handle: network.handle },
  ];
}

function podsEntries(network: NetworkModel): EntryValue[] {
  const { podPrefix } = network;
  if (podPrefix === undefined) return [];
  return [
    {
      kind: 'pods',
      key: `pods/${network.id}`,
      network_id: network.id,
      handle: network.handle,
      prefix: podPrefix,
      interface: leafInterfaceName(network),
      next_hops: prefixesOf(network).find((prefix) => familyOf(prefix) === familyOf(podPrefix)) ?? null,
    },
  ];
}

export function routeEntry(
  network: NetworkModel,
  route: { readonly destination: string; readonly via: string[] },
): RouteEntry {
  return { kind: 'route', network_id: network.id, ...route };
}

export function probeEntry(
  network: NetworkModel,
  probe: Pick<ProbeEntry, 'interface' | 'public_key' | 'purpose' | 'target'>,
): ProbeEntry {
  return { kind: 'probe', network_id: network.id, ...probe };
}

/** The endpoints of a tunnel, the preferred one first; none: the other side connects. */
export function endpointFields(
  endpoints: readonly string[],
): Pick<PeerEntry, 'endpoint' | 'fallback_endpoints'> {
  const [endpoint = null, ...fallbacks] = endpoints;
  if (fallbacks.length === 0) return { endpoint };
  return { endpoint, fallback_endpoints: fallbacks.slice(0, peerEndpointsMax - 1) };
}

function transitInterface(
  network: NetworkModel,
  self: PeerModel,
  at: { readonly name: string; readonly port: number },
): InterfaceEntry {
  return {
    kind: 'interface',
    name: at.name,
    network_id: network.id,
    peer_id: self.id,
    purpose: 'transit',
    public_key: self.publicKey,
    listen_port: at.port,
    mtu: network.mtu,
    addresses: [],
    probe_addresses: [],
  };
}

/** A spoke's probes by way of `hub`: to itself, and to each other hub, which only arrives when it forwards. */
function hubProbeEntries(
  network: NetworkModel,
  hub: TransitHub,
  transit: readonly TransitHub[],
): EntryValue[] {
  const name = transitInterfaceName(network, hub.hubSlot);
  return transit.flatMap((goal) => {
    const target = probeAddressVia(goal.hostAddress, hub.hubSlot);
    const purpose = goal.id === hub.id ? ('path' as const) : ('forwarding' as const);
    return [
      routeEntry(network, { destination: withLength(target), via: [name] }),
      probeEntry(network, { interface: name, public_key: hub.publicKey, purpose, target }),
    ];
  });
}

/** Where one transit hub listens for another one's relay. */
export function relayPort(hub: { readonly listenPort: number }, otherSlot: number): number {
  const port = hub.listenPort + relayPortStep * otherSlot;
  return port <= 65535 ? port : port - 65535 + 1023;
}

/** The key of the tunnel that the other transit hubs have to this one. */
export function relayKey(network: NetworkModel, to: TransitHub): string {
  return tunnelKey({ interface: transitInterfaceName(network, to.hubSlot), public_key: to.publicKey });
}

function relayEntries(network: NetworkModel, self: TransitHub, hubs: Hubs): EntryValue[] {
  return hubs.transit.flatMap((other) => {
    if (other.id === self.id) return [];
    const name = transitInterfaceName(network, other.hubSlot);
    const target = probeAddressVia(other.hostAddress, self.hubSlot);
    const port = relayPort(other, self.hubSlot);
    const endpoints = reachableEndpointsOf(other).endpoints.flatMap((text) => {
      const place = parseEndpoint(text);
      return place === null ? [] : formatEndpoint({ address: place.address, port });
    });
    const tunnel: PeerEntry = {
      kind: 'peer',
      interface: name,
      peer_id: other.id,
      public_key: other.publicKey,
      ...endpointFields([...new Set(endpoints)]),
      allowed_ips: [...everything],
      keepalive: keepaliveSeconds,
    };
    // Probes of spokes to the other hub come by way of this one, whatever else is routed where.
    const reached = [...addressesOf(other, hubs.advertised), withLength(target)];
    return [
      transitInterface(network, self, { name, port: relayPort(self, other.hubSlot) }),
      tunnel,
      ...reached.map((destination) => routeEntry(network, { destination, via: [name] })),
      probeEntry(network, { interface: name, public_key: other.publicKey, purpose: 'path', target }),
    ];
  });
}
