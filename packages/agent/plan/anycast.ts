// Anycast addresses: to which of their holders packets go, and by which interface. Only holders whose path is alive and
// that do not withhold the address are used; where BGP decides, only those whose path it takes for the best or as good, and
// those without a bgpd.
// Of these the nearest is used. A node without a tunnel to any leaves it to its hub.
import { withoutLength } from '@powernode/core/net/address';
import type { AnycastHolderEntry } from '@powernode/core/wire/anycast-entries';
import type { AnycastEntry } from '@powernode/core/wire/document';
import { isHeard } from '../probe/path-state.ts';
import type { NearestHolders } from './nearest-holder.ts';
import { allow, isUsable, type NextHop, nextHopOf, type Overrides, usedBefore } from './next-hops.ts';
import type { PathIndex } from './path-index.ts';
import type { PathSituation } from './probe-health.ts';

interface Situation {
  readonly paths: PathSituation;
  /** Whether a wider route leads there too, by a hub that is alive. */
  readonly isCovered: (destination: string) => boolean;
  /** For each route of the document the interface that it goes by; null: none. */
  readonly choices: ReadonlyMap<string, string | null>;
  /** What was decided last. */
  readonly before: Overrides;
  readonly nearest: NearestHolders;
}

/** A tunnel to a holder. */
interface HolderHop extends NextHop {
  /** Its overlay address; null: an older platform does not say. */
  readonly holder: string | null;
  /** It has no bgpd that could announce the address. */
  readonly isStatic: boolean;
  readonly roundTripMs: number | null;
}

/** `backups`: routes by way of another hub, which these are added to. */
export function anycastOverrides(situation: Situation, backups: Map<string, string>): Overrides {
  const { paths, nearest } = situation;
  const { index } = paths;
  const routes = backups;
  const extraAllowedIps = new Map<string, readonly string[]>();
  const chosen = new Set<string>();
  for (const anycast of index.anycasts) {
    const hops = hopsOf(anycast, paths);
    const isHeld = index.holds(anycast.virtual_ip_id);
    const used = isHeld ? undefined : usedOf(anycast, hops, situation);
    if (!isHeld) chosen.add(anycast.virtual_ip_id);
    if (used?.isLeaf !== true) chosen.add(leafName(anycast));
    for (const destination of anycast.destinations) {
      if (used !== undefined && isUsable(used, situation.isCovered(destination))) {
        routes.set(destination, used.device);
      } else if (!isHeld) {
        const device = deviceAround(anycast, situation);
        if (device !== null) routes.set(destination, device);
      }
    }
    // Its answers are taken from there too when nothing is sent there by this node: another hub may do so.
    const leafHop = used?.isLeaf ? used : leafHopOf(anycast, hops, situation);
    if (leafHop !== undefined) allow(extraAllowedIps, leafHop.tunnel, anycast.destinations);
  }
  nearest.keepOnly(chosen);
  return { routes, extraAllowedIps };
}

function hopsOf(anycast: AnycastEntry, paths: PathSituation): HolderHop[] {
  const holderOf = holdersByTunnel(anycast, paths.index);
  return anycast.by.flatMap((one) => {
    const hop = nextHopOf(one, paths);
    if (hop === undefined) return [];
    const entry = holderOf.get(`${one.interface} ${one.public_key}`);
    const holder = entry?.host_address ?? null;
    // By way of another hub it is farther than anybody who is heard straight.
    const isStraight = hop.device === one.interface;
    const known = isStraight && holder !== null ? paths.holders.get(holder) : undefined;
    return [{ ...hop, holder, isStatic: entry?.is_static === true, roundTripMs: known?.roundTripMs ?? null }];
  });
}

function holdersByTunnel({ virtual_ip_id: id, network_id: network }: AnycastEntry, { document }: PathIndex) {
  const found = new Map<string, AnycastHolderEntry>();
  for (const entry of document.inNetwork('anycast_holder', network)) {
    if (entry.virtual_ip_id !== id) continue;
    for (const one of entry.by) found.set(`${one.interface} ${one.public_key}`, entry);
  }
  return found;
}

/** undefined: nobody that this node has a tunnel to can be sent to. */
function usedOf(
  anycast: AnycastEntry,
  hops: readonly HolderHop[],
  { paths, before, nearest }: Situation,
): HolderHop | undefined {
  const announced = announcersOf(anycast, paths);
  const options = hops.filter(
    ({ holder, isStatic }) =>
      holder === null ||
      (!isWithheld(anycast, holder, paths) && (announced === null || isStatic || announced.includes(holder))),
  );
  const present = options.find(inUseOf(anycast, before).isUsed);
  return nearest.choose(anycast.virtual_ip_id, { options, present, nowMs: paths.nowMs });
}

/** The overlay addresses of those whose paths BGP takes for the best; null: BGP does not decide. */
function announcersOf({ network_id: network, destinations }: AnycastEntry, { bgp }: PathSituation) {
  const [prefix = ''] = destinations;
  return bgp.of(network)?.nextHops(prefix) ?? null;
}

function isWithheld({ destinations }: AnycastEntry, holder: string, { holders }: PathSituation): boolean {
  const withheld = holders.get(holder)?.withheld ?? [];
  return destinations.some((destination) => withheld.includes(withoutLength(destination)));
}

/** All of its addresses go the same way. */
function inUseOf({ destinations: [first = ''] }: AnycastEntry, before: Overrides) {
  return usedBefore(before, { route: first, prefix: first });
}

function leafName({ virtual_ip_id: id }: AnycastEntry): string {
  return `${id} leaf`;
}

/** The nearest leaf hop, also one that nothing is sent to: what was sent before may still be answered. */
function leafHopOf(
  anycast: AnycastEntry,
  hops: readonly HolderHop[],
  { paths, before, nearest }: Situation,
): HolderHop | undefined {
  const options = hops.filter(({ isLeaf }) => isLeaf);
  const present = options.find(inUseOf(anycast, before).isLeafHop);
  return nearest.choose(leafName(anycast), { options, present, nowMs: paths.nowMs });
}

/**
 * The hub that the network goes by holds the address itself and withholds it: what comes to it for that address it takes.
 * Then another hub is asked that is there and does not. null: the network's own way will do, or there is no other.
 */
function deviceAround(anycast: AnycastEntry, { paths, choices }: Situation): string | null {
  const { index, health } = paths;
  const withholding = withholdingInterfaces(anycast, paths);
  if (withholding.size === 0) return null;
  for (const { prefixes } of index.document.inNetwork('firewall', anycast.network_id)) {
    for (const prefix of prefixes) {
      const present = choices.get(prefix) ?? null;
      if (present === null || !withholding.has(present)) continue;
      const via = index.routes.get(prefix)?.via ?? [];
      const other = via.find((name) => {
        const peer = index.transitPeer(name);
        if (peer === undefined || withholding.has(name)) return false;
        return isHeard(health.of({ interface: name, publicKey: peer.public_key }));
      });
      return other ?? null;
    }
  }
  return null;
}

/** The transit interfaces to hubs that hold the address and withhold it. */
function withholdingInterfaces(anycast: AnycastEntry, paths: PathSituation): ReadonlySet<string> {
  const found = new Set<string>();
  for (const entry of paths.index.document.inNetwork('anycast_holder', anycast.network_id)) {
    if (entry.virtual_ip_id !== anycast.virtual_ip_id) continue;
    if (!isWithheld(anycast, entry.host_address, paths)) continue;
    for (const { interface: name } of entry.by) {
      if (paths.index.interfaces.get(name)?.purpose === 'transit') found.add(name);
    }
  }
  return found;
}
