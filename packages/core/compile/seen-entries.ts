// What nodes have because of another peer in their network: tunnels to it, and routes. The same for all nodes of one
// standing. What they have of their own, and the rules behind it: entries.ts.
import type { PublicKey } from '../ids.ts';
import { keepaliveSeconds } from '../limits.ts';
import { withLength } from '../net/address.ts';
import { directProbeAddress } from '../net/probe-address.ts';
import type { EntryValue, PeerEntry } from '../wire/document.ts';
import {
  addressesOf,
  type Carried,
  calledAt,
  directEndpointOf,
  everything,
  isTransit,
  leafInterfaceName,
  leafKey,
  meetingPoint,
  meetingPoints,
  probeEntry,
  routeEntry,
  type Standing,
  standingOf,
  transitInterfaceName,
} from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';

/** The tunnel towards `other` on the interface named, with the AllowedIPs given. Whoever can call keeps alive. */
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
    ...calledAt(at.endpoints),
    allowed_ips: at.allowedIps,
    keepalive: at.endpoints.length === 0 ? 0 : keepaliveSeconds,
  };
}

/**
 * What a node of the given standing has because `other` is in the network: the same for all such nodes, which is
 * what makes a change cheap to compute and to send.
 */
export function entriesBecauseOf(
  network: NetworkModel,
  other: PeerModel,
  seen: { readonly from: Standing; readonly carried: Carried },
): EntryValue[] {
  const { from } = seen;
  if (from === 'transit' && isTransit(other)) return [];
  const at = { network, other, addresses: addressesOf(other, seen.carried) };
  if (from === 'transit' || from === 'hub') return seenByHub(at, from);
  if (isTransit(other)) return transitSeenBySpoke(at, from);
  if (from === 'punch' && standingOf(network, other) === 'punch') return metDirectly(at);
  if (!meets(network, other, from)) return [];
  const leaf = leafInterfaceName(network);
  const place = {
    interface: leaf,
    publicKey: leafKey(network, other),
    endpoints: meetingPoints(network, other),
  };
  return [
    tunnel(other, { ...place, allowedIps: at.addresses }),
    ...at.addresses.map((destination) => routeEntry(network, { destination, via: [leaf] })),
  ];
}

interface Seen {
  readonly network: NetworkModel;
  readonly other: PeerModel;
  readonly addresses: string[];
}

/** A transit hub also hears a spoke's leaf interface, without a packet for it: it only observes where that one is. */
function seenByHub({ network, other, addresses }: Seen, from: Standing): EntryValue[] {
  const at = { interface: leafInterfaceName(network), endpoints: meetingPoints(network, other) };
  const key = leafKey(network, other);
  if (from === 'hub') return [tunnel(other, { ...at, publicKey: key, allowedIps: addresses })];
  const entries = [tunnel(other, { ...at, publicKey: other.publicKey, allowedIps: addresses })];
  if (key !== other.publicKey) {
    entries.push(tunnel(other, { ...at, publicKey: key, endpoints: [], allowedIps: [] }));
  }
  return entries;
}

function transitSeenBySpoke({ network, other, addresses }: Seen, from: Standing): EntryValue[] {
  const name = transitInterfaceName(network, other.hubSlot ?? 0);
  const place = { publicKey: other.publicKey, endpoints: meetingPoints(network, other) };
  const entries: EntryValue[] = [
    tunnel(other, { interface: name, ...place, allowedIps: everything(network) }),
    ...addresses.map((destination) => routeEntry(network, { destination, via: [name] })),
  ];
  if (from === 'open' || from === 'bare') return entries;
  // So that the hub sees where the leaf interface is.
  const leaf = leafInterfaceName(network);
  return [...entries, tunnel(other, { interface: leaf, ...place, allowedIps: [] })];
}

function metDirectly({ network, other, addresses }: Seen): EntryValue[] {
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
function meets(network: NetworkModel, other: PeerModel, from: Standing): boolean {
  if (meetingPoint(network, other) !== null) return true;
  return from === 'open' && other.hubSlot === null;
}
