// Prefixes behind peers, such as LANs, on the path of a packet: which peer in front of one a node sends to, whose tunnel
// takes what comes from one, and what is said where packets enter or leave it. As the agent does it (plan/subnets.ts): by
// the paths that BGP takes, where it decides, else by preference.
import { familyOf, formatAddress } from '../net/address.ts';
import { hostMask, parsePrefix } from '../net/prefix.ts';
import { hopOrder } from '../routing/hop-order.ts';
import type { PeerEntry } from '../wire/document.ts';
import type { LanEntry, SubnetEntry } from '../wire/routing-entries.ts';
import { isPeer, type NetworkSnapshot } from './network-snapshot.ts';
import type { NodeView } from './node-view.ts';
import type { ParsedAddress } from './prefix-map.ts';
import type { NameOf } from './trace.ts';

/** The interface that a node's route uses now, where it has a choice; null: unknown. */
export type InUse = (peerId: string, destination: string) => string | null;

interface Context {
  readonly snapshot: NetworkSnapshot;
  readonly inUse: InUse;
}

/** Where a node sends packets for a prefix behind peers. */
export interface SubnetRoute {
  readonly entry: SubnetEntry;
  /** The peer that they are to reach: in front of the prefix, or the next hop that a policy has set. */
  readonly peerId: string;
  readonly device: string;
  /** To the peer in front of the prefix; null: the packet goes to the hub that the rest of the network goes by. */
  readonly tunnel: PeerEntry | null;
}

/** A peer that packets for the prefix go to, where the node may send them. */
interface Hop {
  /** Of that peer, or of one in front of the prefix where a policy has set another next hop. */
  readonly entry: SubnetEntry;
  readonly peerId: string;
  /** undefined: the node has no tunnel to it. */
  readonly tunnel: PeerEntry | undefined;
}

type UsableHop = Hop & { readonly tunnel: PeerEntry };

/** The LAN of the node itself that has the address, unless a longer prefix is behind another peer. */
export function lanAt(node: NodeView, address: ParsedAddress): LanEntry | undefined {
  const lan = node.lans.longest(address);
  const [other] = node.subnets.longest(address) ?? [];
  return lan !== undefined && (other === undefined || lengthOf(other) <= lengthOf(lan)) ? lan : undefined;
}

export function subnetRoute(
  context: Context,
  node: NodeView,
  destination: ParsedAddress,
): SubnetRoute | undefined {
  for (const entries of node.subnets.covering(destination)) {
    const hops = hopsOf(context, node, entries);
    const used = usedOf(context, node, hops);
    if (used !== undefined && isUsable(context, node, used)) {
      const { entry, peerId, tunnel } = used;
      return { entry, peerId, device: tunnel.interface, tunnel };
    }
    const device = hubDevice(context, node);
    const [first] = hops;
    if (device !== null && first !== undefined) {
      return { entry: first.entry, peerId: first.peerId, device, tunnel: null };
    }
  }
  return undefined;
}

/** A prefix of the address that BGP decides about and that no path to arrives at the node. */
export function unannouncedPrefix(
  context: Context,
  node: NodeView,
  destination: ParsedAddress,
): string | undefined {
  for (const entries of node.subnets.covering(destination)) {
    const [first] = entries;
    if (first !== undefined && hopsOf(context, node, entries).length === 0) return first.prefix;
  }
  return undefined;
}

/** The tunnel of the leaf interface whose AllowedIPs cover an address behind peers. */
export function subnetLeafTunnel(
  context: Context,
  node: NodeView,
  address: ParsedAddress,
): PeerEntry | undefined {
  const isLeaf = ({ tunnel }: Hop) =>
    tunnel !== undefined && node.interfaces.get(tunnel.interface)?.purpose === 'leaf';
  for (const entries of node.subnets.covering(address)) {
    const hops = hopsOf(context, node, entries);
    const used = usedOf(context, node, hops);
    const leafHop = used !== undefined && isLeaf(used) ? used : usedOf(context, node, hops.filter(isLeaf));
    if (leafHop !== undefined) return leafHop.tunnel;
  }
  return undefined;
}

/** The most preferred first; none: BGP decides, and no path arrives at the node. */
function hopsOf({ snapshot, inUse }: Context, node: NodeView, entries: readonly SubnetEntry[]): Hop[] {
  const [first] = entries;
  if (first === undefined) return [];
  const decided = snapshot.bestOf(node.peerId, first.prefix)?.map(({ nextHop }) => nextHop) ?? null;
  if (decided === null) return entries.map((entry) => hopTo(node, entry));
  return hopOrder(entries, decided).flatMap(({ address: text, entry }) => {
    if (entry !== undefined) return [hopTo(node, entry)];
    const address = snapshot.address(text);
    const owner = address === null ? undefined : snapshot.owner(address);
    if (address === null || owner === undefined || !isPeer(owner)) return [];
    const route = node.routes.longest(address);
    const device = route === undefined ? '' : (inUse(node.peerId, route.destination) ?? route.via[0] ?? '');
    const tunnel = node.tunnelTo(device, address);
    return [{ entry: first, peerId: owner.id, tunnel: tunnel?.peer_id === owner.id ? tunnel : undefined }];
  });
}

/** By the first tunnel to the peer that the node has. */
function hopTo(node: NodeView, entry: SubnetEntry): Hop {
  const tunnels = entry.by.flatMap((one) => node.tunnelByKey(one.interface, one.public_key) ?? []);
  const tunnel = tunnels.find(({ allowed_ips: own }) => own.length > 0);
  return { entry, peerId: entry.peer_id, tunnel };
}

/** The first whose path is up, as far as that is known. */
function usedOf(context: Context, node: NodeView, hops: readonly Hop[]): UsableHop | undefined {
  const met = hops.filter((hop): hop is UsableHop => hop.tunnel !== undefined);
  const usable = met.filter((hop) => isUsable(context, node, hop));
  const up = usable.find(({ peerId }) => context.snapshot.presenceOf(peerId)?.reachable !== false);
  return up ?? usable[0] ?? met[0];
}

/** A direct path carries packets only while its probes are answered. */
function isUsable({ inUse }: Context, node: NodeView, { tunnel }: UsableHop): boolean {
  const [own = ''] = tunnel.allowed_ips;
  return !node.isDirect(tunnel) || inUse(node.peerId, own) === null;
}

/** The interface that the prefix of the network goes by, where that is one to a hub. */
function hubDevice({ inUse }: Context, node: NodeView): string | null {
  for (const { destination, via } of node.networkRoutes) {
    const device = inUse(node.peerId, destination) ?? via[0] ?? '';
    if (node.interfaces.get(device)?.purpose === 'transit') return device;
  }
  return null;
}

/** A LAN, or a slice for pods, of the peer with that name. */
interface LanPlace {
  readonly peer: string;
  readonly isForPods: boolean;
}

function named({ prefix }: LanEntry, { isForPods }: LanPlace): string {
  return isForPods ? `the pod subnet ${prefix}` : `the LAN ${prefix}`;
}

/** In words: a packet that leaves the network into a LAN at its peer. */
export function intoLan(lan: LanEntry, destination: ParsedAddress, at: LanPlace): string {
  const { peer } = at;
  const known = localAddress(lan, destination);
  const translated =
    known === destination.text ? '' : ` Its destination becomes ${known} there (1:1 translation).`;
  const hidden = lan.source_nat
    ? ` Clients there see the address of ${peer} as its source (source NAT).`
    : '';
  return `The packet leaves the network into ${named(lan, at)} at ${peer}.${translated}${hidden}`;
}

/** In words: a packet that enters the network out of a LAN. */
export function outOfLan(lan: LanEntry, source: ParsedAddress, at: LanPlace): string {
  const { peer } = at;
  const known = localAddress(lan, source);
  const translated = known === source.text ? '' : ` Its source is ${known} in the LAN (1:1 translation).`;
  return `${source.text} is in ${named(lan, at)} ${at.isForPods ? 'of' : 'behind'} ${peer}, where its packets enter the network.${translated}`;
}

/** The peers in front of a prefix, the preferred one first: `edge1, or edge2 when that is not reachable`. */
export function inFront(peerIds: readonly string[], nameOf: NameOf): string {
  const [first, ...others] = peerIds.map((id) => nameOf({ type: 'peer', id }));
  return others.length === 0 ? (first ?? '') : `${first} (${others.join(', ')} when that path is down)`;
}

/** The same host part in the prefix that clients of the LAN know. */
function localAddress(lan: LanEntry, address: ParsedAddress): string {
  const local = parsePrefix(lan.local_prefix);
  if (local === null || lan.local_prefix === lan.prefix) return address.text;
  return formatAddress({
    family: familyOf(address.text),
    bits: local.bits | (address.bits & hostMask(local)),
  });
}

function lengthOf({ prefix }: { readonly prefix: string }): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1));
}
