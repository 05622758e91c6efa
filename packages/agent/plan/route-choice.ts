// Which interface each route goes through now: the first of its list whose path is alive, with hysteresis. The node
// decides this by itself, because it must be fast and must work without the platform. Backup paths, anycast addresses and
// prefixes behind peers, which are decided at the same time, are in backup-paths.ts, anycast.ts and subnets.ts.
import { familyOf, withoutLength } from '@powernode/core/net/address';
import { contains, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { RouteEntry } from '@powernode/core/wire/document';
import { isHeard, type PathState } from '../probe/path-state.ts';
import { exportedDestination, noDevice } from '../subsystems/routes/steps.ts';
import type { ExtraAllowedIps } from '../subsystems/wireguard/peers.ts';
import { anycastOverrides } from './anycast.ts';
import { backupRoutes } from './backup-paths.ts';
import { NearestHolders } from './nearest-holder.ts';
import { noOverrides, type Overrides } from './next-hops.ts';
import type { PathIndex } from './path-index.ts';
import { podNextHops } from './pod-next-hops.ts';
import type { PathSituation } from './probe-health.ts';
import { subnetOverrides } from './subnets.ts';

/** For each destination the interface that it goes through; null: left out, because another route covers it, or because
 * the machine was refused its family. */
export type Choices = ReadonlyMap<string, string | null>;

/** What a choice has changed: destinations of routes, and keys of peers whose AllowedIPs are others. */
export interface RouteChanges {
  readonly destinations: readonly string[];
  readonly tunnels: readonly string[];
}

/** What there is to know of one route through one interface. */
interface Path {
  readonly state: PathState;
  /** Its tunnel leads to one spoke, and is used only while it is proven. */
  readonly isDirect: boolean;
  /** A whole prefix behind a leaf interface (a hub's view): each of its packets finds its own tunnel, or none. */
  readonly isMultipoint: boolean;
}

export class RouteChooser {
  #choices = new Map<string, string | null>();
  #overrides: Overrides = noOverrides;
  readonly #nearest = new NearestHolders();
  readonly #exportRoutes: boolean;

  /** `exportRoutes`: what is in the table of a network is in the main one too. */
  constructor(exportRoutes = false) {
    this.#exportRoutes = exportRoutes;
  }

  get choices(): Choices {
    return this.#choices;
  }

  get extraAllowedIps(): ExtraAllowedIps {
    return this.#overrides.extraAllowedIps;
  }

  /** When another choice may follow although nothing has happened; null: never. */
  get dueMs(): number | null {
    return this.#nearest.dueMs;
  }

  /** What the kernel had when the agent came: kept unless there is a reason not to. */
  adopt(routes: Iterable<readonly [destination: string, device: string]>): void {
    for (const [destination, device] of routes) {
      if (!this.#choices.has(destination)) this.#choices.set(destination, device);
    }
  }

  /**
   * The same for prefixes behind peers and anycast addresses, which the AllowedIPs of a peer cover; by key of the peer.
   */
  adoptAllowedIps(found: ExtraAllowedIps, anycast: ReadonlySet<string>): void {
    if (this.#overrides !== noOverrides || found.size === 0) return;
    const routes = new Map<string, string>();
    for (const [destination, device] of this.#choices)
      if (device !== null && (destination.includes(' table ') || anycast.has(destination)))
        routes.set(destination, device);
    this.#overrides = { routes, extraAllowedIps: found };
  }

  /** Chooses anew, and says what is different from before. */
  choose(paths: PathSituation): RouteChanges {
    const { next, covering } = this.#routes(paths);
    const extraBefore = this.#overrides.extraAllowedIps;
    const isCoveredNow = (destination: string) => isCovered(parsePrefix(destination), covering);
    const before = this.#overrides;
    const situation = { paths, before, choices: next, isCovered: isCoveredNow, nearest: this.#nearest };
    const anycast = anycastOverrides(situation, backupRoutes(paths));
    this.#overrides = subnetOverrides({ paths, before, choices: next }, anycast);
    const refused = networksRefused(paths.index);
    for (const [destination, device] of [...this.#overrides.routes, ...podNextHops(paths.index, next)]) {
      const networkId = paths.index.interfaces.get(device)?.network_id ?? '';
      // Prefixes behind peers are not of the network's own IPv4 prefix.
      const isSubnet = destination.includes(' table ');
      if (isSubnet || !isRefused(destination, refused.has(networkId))) next.set(destination, device);
    }
    if (this.#exportRoutes) for (const [destination, device] of exported(next)) next.set(destination, device);
    const destinations = differing(this.#choices, next);
    this.#choices = next;
    return { destinations, tunnels: differing(extraBefore, this.#overrides.extraAllowedIps) };
  }

  /** `covering`: prefixes that lead to a hub which is alive. */
  #routes(paths: PathSituation): { next: Map<string, string | null>; covering: readonly Prefix[] } {
    const next = new Map<string, string | null>();
    const lost: RouteEntry[] = [];
    const covering: Prefix[] = [];
    const covered: Prefix[] = [];
    const refused = networksRefused(paths.index);
    for (const route of paths.index.routes.values()) {
      const [first = null] = route.via;
      if (isRefused(route.destination, refused.has(route.network_id))) {
        next.set(route.destination, null);
        continue;
      }
      // Probes go where the document says, dead or alive, or nobody would learn that the path is alive again.
      if (paths.index.isProbed(route.destination)) {
        next.set(route.destination, first);
        continue;
      }
      const device = this.#best(route, paths);
      next.set(route.destination, device ?? this.#lastResort(route));
      if (device === null) lost.push(route);
      if (isHostRoute(route)) continue;
      const prefix = prefixOf(route);
      if (prefix === null) continue;
      if (device !== null && !pathVia(route, device, paths).isMultipoint) covering.push(prefix);
      covered.push(prefix);
    }
    for (const route of lost) {
      const [first = ''] = route.via;
      // What is met without a hub goes by a hub until it is proven, whether that one is alive or not.
      const outers = pathVia(route, first, paths).isDirect ? covered : covering;
      if (isCovered(prefixOf(route), outers)) next.set(route.destination, null);
    }
    return { next, covering };
  }

  /** The interface to use, or null when no path is known to be alive. */
  #best(route: RouteEntry, paths: PathSituation): string | null {
    const states = new Map<string, PathState>();
    for (const device of route.via) {
      const path = pathVia(route, device, paths);
      states.set(device, path.isDirect && path.state === 'returning' ? 'untried' : path.state);
    }
    const alive = route.via.find((device) => states.get(device) === 'alive') ?? null;
    const present = this.#choices.get(route.destination) ?? null;
    if (present === null || !isHeard(states.get(present) ?? 'dead')) {
      return alive ?? route.via.find((device) => isHeard(states.get(device) ?? 'dead')) ?? null;
    }
    // Something better has been back for a while, or the document prefers another one now.
    return alive !== null && route.via.indexOf(alive) < route.via.indexOf(present) ? alive : present;
  }

  /** No path is known to be alive. It stays where it is: moving it would help nobody. */
  #lastResort(route: RouteEntry): string | null {
    const present = this.#choices.get(route.destination) ?? null;
    return present !== null && route.via.includes(present) ? present : (route.via[0] ?? null);
  }
}

/**
 * Networks of which this machine has no IPv4 address. Where they have an IPv4 prefix, it was refused because something of
 * the machine's surroundings is in it: a route of the IPv4 prefix would take that from the machine.
 */
function networksRefused({ interfaces }: PathIndex): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { purpose, network_id: id, addresses } of interfaces.values()) {
    if (purpose === 'leaf' && !addresses.some(isIpv4)) found.add(id);
  }
  return found;
}

function isRefused(destination: string, networkRefused: boolean): boolean {
  return networkRefused && isIpv4(destination);
}

function isIpv4(prefix: string): boolean {
  return familyOf(withoutLength(prefix)) === 4;
}

function pathVia(route: RouteEntry, device: string, { index, health }: PathSituation): Path {
  const purpose = index.interfaces.get(device)?.purpose;
  if (purpose === undefined) return { state: 'dead', isDirect: false, isMultipoint: false };
  const peer = purpose === 'transit' ? index.transitPeer(device) : index.peerAt(device, route.destination);
  if (peer === undefined) {
    const isMultipoint = purpose === 'leaf';
    return { state: isMultipoint ? 'alive' : 'untried', isDirect: false, isMultipoint };
  }
  const state = health.of({ interface: device, publicKey: peer.public_key });
  return { state, isDirect: index.isDirect(peer), isMultipoint: false };
}

/** Copies for the main table of what is in the tables of networks. Of two with the same prefix the first table's. */
function exported(choices: Choices): Map<string, string> {
  const copies = new Map<string, string>();
  const tables = new Map<string, number>();
  for (const [destination, device] of choices) {
    const [prefix = '', inTable] = destination.split(' table ');
    if (inTable === undefined || device === null || device === noDevice) continue;
    const table = Number(inTable);
    if (table > (tables.get(prefix) ?? Number.POSITIVE_INFINITY)) continue;
    tables.set(prefix, table);
    copies.set(exportedDestination(prefix), device);
  }
  return copies;
}

/** The keys whose values differ; lists are compared by what is in them. */
function differing<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => {
    if (before.has(key) !== after.has(key)) return true;
    return String(before.get(key)) !== String(after.get(key));
  });
}

function isHostRoute(route: RouteEntry): boolean {
  return route.destination.endsWith('/128') || route.destination.endsWith('/32');
}

const prefixes = new WeakMap<RouteEntry, Prefix | null>();

/** Read once for each route: all of them are gone through whenever there is news of any path. */
function prefixOf(route: RouteEntry): Prefix | null {
  let prefix = prefixes.get(route);
  if (prefix === undefined) {
    prefix = parsePrefix(route.destination);
    prefixes.set(route, prefix);
  }
  return prefix;
}

function isCovered(prefix: Prefix | null, outers: readonly Prefix[]): boolean {
  return prefix !== null && outers.some((outer) => outer.length < prefix.length && contains(outer, prefix));
}
