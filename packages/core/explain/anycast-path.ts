// Anycast addresses on the path of a packet: which holders a node may send to. As the agent does it (plan/anycast.ts), but for
// which of them is the nearest: that is known by the node alone.
import { withLength } from '../net/address.ts';
import type { PeerEntry } from '../wire/document.ts';
import type { InUse } from './lan-path.ts';
import type { NetworkSnapshot } from './network-snapshot.ts';
import type { NodeView } from './node-view.ts';
import type { ParsedAddress } from './prefix-map.ts';
import type { NameOf } from './trace.ts';

interface Context {
  readonly snapshot: NetworkSnapshot;
  readonly inUse: InUse;
}

/** The tunnels to holders that packets may be sent to, in the operator's order; none: the node leaves it to its hub. */
export function anycastHops(context: Context, node: NodeView, destination: ParsedAddress): PeerEntry[] {
  const { snapshot, inUse } = context;
  const virtualIpId = node.anycastAt(destination);
  if (virtualIpId === undefined) return [];
  const withdrawn = snapshot.withdrawnBy(virtualIpId);
  const usable = node.anycastNextHops(destination).filter((one) => {
    const [own = ''] = one.allowed_ips;
    return !node.isDirect(one) || inUse(node.peerId, own) === null;
  });
  // When all fail, packets go there all the same; and so they do when none is reached.
  const well = orAll(usable, ({ peer_id: peerId }) => !withdrawn.has(peerId));
  const announced = well.filter(({ peer_id: peerId }) =>
    isAnnounced(snapshot, node, { peerId, destination }),
  );
  return orAll(announced, ({ peer_id: peerId }) => isReached(snapshot, peerId));
}

/** In words: to whom the node sends. `hops` is not empty. */
export function anycastRoute(hops: readonly PeerEntry[], destination: ParsedAddress, nameOf: NameOf): string {
  const peers = [...new Set(hops.map(({ peer_id: id }) => nameOf({ type: 'peer', id })))];
  const [first = ''] = peers;
  const device = hops[0]?.interface ?? '';
  return peers.length === 1
    ? `Of the peers that hold ${destination.text} only ${first} can be used; it goes there by ${device}.`
    : `${destination.text} goes to one of ${peers.join(', ')}, the nearest by the round trips that the instance measures; this is the way to ${first}, by ${device}.`;
}

/** A holder of the address whose packets are let through, as one that sends: the first that is well and reached. */
export function sendingHolder(snapshot: NetworkSnapshot, virtualIpId: string, holders: readonly string[]) {
  const withdrawn = snapshot.withdrawnBy(virtualIpId);
  const well = orAll(holders, (peerId) => !withdrawn.has(peerId));
  return orAll(well, (peerId) => isReached(snapshot, peerId))[0];
}

function isReached(snapshot: NetworkSnapshot, peerId: string): boolean {
  return snapshot.presenceOf(peerId)?.reachable !== false;
}

/** Where BGP decides: by a path that it takes, or without a bgpd. */
function isAnnounced(
  snapshot: NetworkSnapshot,
  node: NodeView,
  { peerId, destination }: { readonly peerId: string; readonly destination: ParsedAddress },
): boolean {
  const peer = snapshot.network.peer(peerId);
  const best = snapshot.bestOf(node.peerId, withLength(destination.text));
  if (best === null || peer?.routingDaemonMissing === true) return true;
  return best.some(({ nextHop }) => nextHop === peer?.hostAddress);
}

function orAll<T>(all: readonly T[], is: (one: T) => boolean): T[] {
  const some = all.filter(is);
  return some.length > 0 ? some : [...all];
}
