// The rules of the overlay: which entries a node has of its own, and which because of another peer.
// Everything else in this folder only decides how often these functions are called.
//
// Spokes meet the first hubs (by slot) on a transit interface each, with AllowedIPs ::/0, and the routing table
// decides which one carries a packet: WireGuard drops what arrives from a peer whose AllowedIPs do not cover the
// source, so two hubs on one interface would lose half of the traffic. All other pairs meet on the leaf interface
// with exact AllowedIPs. Two spokes never meet in hub_and_spoke; in full_mesh they do when one can be called.
import { keepaliveSeconds, transitHubsMax } from '../limits.ts';
import type { EntryValue, ForwardingEntry, InterfaceEntry, PeerEntry, RouteEntry } from '../wire/document.ts';
import type { NetworkModel, PeerModel } from './model.ts';

export function leafInterfaceName(network: NetworkModel): string {
  return `wg-${network.handle}`;
}

export function transitInterfaceName(network: NetworkModel, slot: number): string {
  return `wg-${network.handle}-${slot}`;
}

/** Where others are told to call this peer, or null. Spokes are called in a full mesh only. */
export function meetingPoint(network: NetworkModel, peer: PeerModel): string | null {
  return peer.hubSlot !== null || network.topologyStrategy === 'full_mesh' ? peer.endpoint : null;
}

/**
 * What a node sees of the others depends on nothing but this: a hub meets everyone; a spoke that can be called
 * meets everyone in a full mesh; a spoke that cannot meets those who can be called.
 */
export type Standing = 'hub' | 'open' | 'closed';

export function standingOf(network: NetworkModel, peer: PeerModel): Standing {
  if (peer.hubSlot !== null) return 'hub';
  return meetingPoint(network, peer) === null ? 'closed' : 'open';
}

/** The hubs that spokes keep a transit interface to: the lowest slots of those whose place is known. */
export function transitHubs(peers: Iterable<PeerModel>): PeerModel[] {
  const hubs = [...peers].filter((peer) => peer.hubSlot !== null && peer.endpoint !== null);
  hubs.sort((a, b) => (a.hubSlot ?? 0) - (b.hubSlot ?? 0));
  return hubs.slice(0, transitHubsMax);
}

/** A number for a pair of peers that spreads spokes over hubs (rendezvous hashing, FNV-1a inside). */
function affinity(spokeId: string, hubId: string): number {
  let hash = 0x811c9dc5;
  const text = `${spokeId}/${hubId}`;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** The order in which a spoke prefers its transit hubs: spread over the spokes, and stable. */
export function preferredHubs(spoke: PeerModel, transit: readonly PeerModel[]): PeerModel[] {
  return [...transit].sort(
    (a, b) => affinity(spoke.id, b.id) - affinity(spoke.id, a.id) || (a.id < b.id ? -1 : 1),
  );
}

/** What a node has whoever else is in the network. */
export function ownEntries(network: NetworkModel, self: PeerModel): EntryValue[] {
  const leaf: InterfaceEntry = {
    kind: 'interface',
    name: leafInterfaceName(network),
    network_id: network.id,
    peer_id: self.id,
    purpose: 'leaf',
    public_key: self.publicKey,
    listen_port: standingOf(network, self) === 'closed' ? 0 : self.listenPort,
    mtu: network.mtu,
    addresses: [`${self.hostAddress}/128`],
  };
  if (self.hubSlot === null) return [leaf];
  const forwarding: ForwardingEntry = {
    kind: 'forwarding',
    network_id: network.id,
    handle: network.handle,
  };
  // A hub meets everyone on its leaf interface, so the whole prefix goes there.
  return [leaf, routeEntry(network, { destination: network.prefix, via: [leaf.name] }), forwarding];
}

function routeEntry(
  network: NetworkModel,
  route: { readonly destination: string; readonly via: string[] },
): RouteEntry {
  return { kind: 'route', network_id: network.id, ...route };
}

/** What a spoke has because of the set of transit hubs: an interface each, and one route by all of them. */
export function transitEntries(
  network: NetworkModel,
  self: PeerModel,
  transit: readonly PeerModel[],
): EntryValue[] {
  if (self.hubSlot !== null || transit.length === 0) return [];
  const nameOf = (hub: PeerModel) => transitInterfaceName(network, hub.hubSlot ?? 0);
  const interfaces = transit.map(
    (hub): InterfaceEntry => ({
      kind: 'interface',
      name: nameOf(hub),
      network_id: network.id,
      peer_id: self.id,
      purpose: 'transit',
      public_key: self.publicKey,
      listen_port: 0,
      mtu: network.mtu,
      addresses: [],
    }),
  );
  const via = preferredHubs(self, transit).map(nameOf);
  return [...interfaces, routeEntry(network, { destination: network.prefix, via })];
}

/** The tunnel towards `other` on the interface named, with the AllowedIPs given. Whoever can call keeps alive. */
function tunnel(
  network: NetworkModel,
  other: PeerModel,
  at: { readonly interface: string; readonly allowedIps: string[] },
): PeerEntry {
  const endpoint = meetingPoint(network, other);
  return {
    kind: 'peer',
    interface: at.interface,
    peer_id: other.id,
    public_key: other.publicKey,
    endpoint,
    allowed_ips: at.allowedIps,
    keepalive: endpoint === null ? 0 : keepaliveSeconds,
  };
}

/**
 * What a node of the given standing has because `other` is in the network: the same for all such nodes, which is
 * what makes a change cheap to compute and to send.
 */
export function entriesBecauseOf(
  network: NetworkModel,
  other: PeerModel,
  seen: { readonly from: Standing; readonly asTransit: boolean },
): EntryValue[] {
  const leaf = leafInterfaceName(network);
  const exact = `${other.hostAddress}/128`;
  if (seen.from === 'hub') return [tunnel(network, other, { interface: leaf, allowedIps: [exact] })];
  if (seen.asTransit) {
    const name = transitInterfaceName(network, other.hubSlot ?? 0);
    return [
      tunnel(network, other, { interface: name, allowedIps: ['::/0'] }),
      routeEntry(network, { destination: exact, via: [name] }),
    ];
  }
  if (!meets(network, other, seen.from)) return [];
  return [
    tunnel(network, other, { interface: leaf, allowedIps: [exact] }),
    routeEntry(network, { destination: exact, via: [leaf] }),
  ];
}

/** Whether a spoke has a tunnel to a peer that is not a transit hub of its network. */
function meets(network: NetworkModel, other: PeerModel, from: 'open' | 'closed'): boolean {
  if (meetingPoint(network, other) !== null) return true;
  return from === 'open' && other.hubSlot === null;
}
