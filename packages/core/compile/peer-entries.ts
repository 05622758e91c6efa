// The entries of a node because of another peer in its network: tunnels and routes. The same for all nodes of one peer
// class. The entries of the node alone, and the rules behind them: entries.ts.
import type { PublicKey } from '../ids.ts';
import { keepaliveSeconds } from '../limits/overlay.ts';
import { withLength } from '../net/address.ts';
import { directProbeAddress } from '../net/probe-address.ts';
import type { EntryValue, PeerEntry } from '../wire/document.ts';
import { bgpNeighborEntries } from './bgp-entries.ts';
import {
  type AdvertisedAddresses,
  addressesOf,
  directEndpointOf,
  endpointFields,
  everything,
  isTransit,
  leafInterfaceName,
  leafKey,
  type PeerClass,
  peerClassOf,
  probeEntry,
  routeEntry,
  transitInterfaceName,
  tunnelEndpoint,
  tunnelEndpoints,
} from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';

/** The tunnel to `other` on the interface named, with the AllowedIPs given. The side with an endpoint keeps it alive. */
function tunnel(
  other: PeerModel,
  at: {
    readonly interface: string;
    readonly publicKey: PublicKey;
    readonly endpoints: readonly string[];
    readonly allowedIps: string[];
  },
): PeerEntry {
  return {
    kind: 'peer',
    interface: at.interface,
    peer_id: other.id,
    public_key: at.publicKey,
    ...endpointFields(at.endpoints),
    allowed_ips: at.allowedIps,
    keepalive: at.endpoints.length === 0 ? 0 : keepaliveSeconds,
  };
}

/**
 * What a node of the given peer class has because `other` is in the network: the same for all such nodes, which is
 * what makes a change cheap to compute and to send.
 */
export function peerEntries(
  network: NetworkModel,
  other: PeerModel,
  seen: { readonly from: PeerClass; readonly advertised: AdvertisedAddresses },
): EntryValue[] {
  return [...tunnelEntries(network, other, seen), ...bgpNeighborEntries(network, other, seen.from)];
}

function tunnelEntries(
  network: NetworkModel,
  other: PeerModel,
  seen: { readonly from: PeerClass; readonly advertised: AdvertisedAddresses },
): EntryValue[] {
  const { from } = seen;
  if (from === 'transit' && isTransit(other)) return [];
  const at = { network, other, addresses: addressesOf(other, seen.advertised) };
  if (from === 'transit' || from === 'hub') return entriesOfHub(at, from);
  if (isTransit(other)) return transitEntriesOfSpoke(at, from);
  if (from === 'hole_punchable' && peerClassOf(network, other) === 'hole_punchable')
    return directTunnelEntries(at);
  if (!hasTunnelTo(network, other, from)) return [];
  const leaf = leafInterfaceName(network);
  const place = {
    interface: leaf,
    publicKey: leafKey(network, other),
    endpoints: tunnelEndpoints(network, other),
  };
  return [
    tunnel(other, { ...place, allowedIps: at.addresses }),
    ...at.addresses.map((destination) => routeEntry(network, { destination, via: [leaf] })),
  ];
}

interface OtherPeer {
  readonly network: NetworkModel;
  readonly other: PeerModel;
  readonly addresses: string[];
}

/** A transit hub also has a tunnel to a spoke's leaf interface, without AllowedIPs: it only observes its endpoint. */
function entriesOfHub({ network, other, addresses }: OtherPeer, from: PeerClass): EntryValue[] {
  const at = { interface: leafInterfaceName(network), endpoints: tunnelEndpoints(network, other) };
  const key = leafKey(network, other);
  if (from === 'hub') return [tunnel(other, { ...at, publicKey: key, allowedIps: addresses })];
  const entries = [tunnel(other, { ...at, publicKey: other.publicKey, allowedIps: addresses })];
  if (key !== other.publicKey) {
    entries.push(tunnel(other, { ...at, publicKey: key, endpoints: [], allowedIps: [] }));
  }
  return entries;
}

function transitEntriesOfSpoke({ network, other, addresses }: OtherPeer, from: PeerClass): EntryValue[] {
  const name = transitInterfaceName(network, other.hubSlot ?? 0);
  const place = { publicKey: other.publicKey, endpoints: tunnelEndpoints(network, other) };
  const entries: EntryValue[] = [
    tunnel(other, { interface: name, ...place, allowedIps: [...everything] }),
    ...addresses.map((destination) => routeEntry(network, { destination, via: [name] })),
  ];
  if (from === 'reachable' || from === 'keyless') return entries;
  // So that the hub observes the endpoint of the leaf interface.
  const leaf = leafInterfaceName(network);
  return [...entries, tunnel(other, { interface: leaf, ...place, allowedIps: [] })];
}

function directTunnelEntries({ network, other, addresses }: OtherPeer): EntryValue[] {
  const leaf = leafInterfaceName(network);
  const target = directProbeAddress(other.hostAddress);
  const publicKey = leafKey(network, other);
  const reached = [...addresses, withLength(target)];
  const endpoint = directEndpointOf(other);
  const endpoints = endpoint === null ? [] : [endpoint];
  return [
    tunnel(other, { interface: leaf, publicKey, endpoints, allowedIps: reached }),
    ...reached.map((destination) => routeEntry(network, { destination, via: [leaf] })),
    probeEntry(network, { interface: leaf, public_key: publicKey, purpose: 'direct', target }),
  ];
}

/** Whether a spoke has a tunnel to a peer that is not a transit hub of its network. */
function hasTunnelTo(network: NetworkModel, other: PeerModel, from: PeerClass): boolean {
  if (tunnelEndpoint(network, other) !== null) return true;
  return from === 'reachable' && other.hubSlot === null;
}
