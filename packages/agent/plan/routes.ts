// Which interface each route goes through now: the first of its list whose path is alive, with hysteresis. The node
// decides this by itself, because it must be fast and must work without the platform. Detours and anycast addresses,
// which are decided in the same breath, are in detours.ts.
import { contains, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { RouteEntry } from '@powernode/core/wire/document';
import { isHeard, type PathState } from '../probe/judge.ts';
import { type Diversions, divert, noDiversions } from './detours.ts';
import type { DocumentIndex } from './document-index.ts';
import type { PathHealth } from './health.ts';
import type { Carried } from './peers.ts';
import type { SourceState } from './probe-health.ts';

/** For each destination the interface that it goes through; null: left out, because another route covers it. */
export type Choices = ReadonlyMap<string, string | null>;

/** What a choice has changed: destinations of routes, and keys of peers whose AllowedIPs are others. */
export interface Switched {
  readonly destinations: readonly string[];
  readonly tunnels: readonly string[];
}

export interface PathPicture {
  readonly index: DocumentIndex;
  readonly health: PathHealth;
  /** How spokes are heard by this hub, by address. */
  readonly sources: ReadonlyMap<string, SourceState>;
}

/** What there is to know of one route through one interface. */
interface Way {
  readonly state: PathState;
  /** Its tunnel leads to one spoke, and is used only while it is proven. */
  readonly isDirect: boolean;
  /** A whole prefix behind a leaf interface (a hub's view): each of its packets finds its own tunnel, or none. */
  readonly isFan: boolean;
}

export class RouteChooser {
  #choices = new Map<string, string | null>();
  #diversions: Diversions = noDiversions;

  get choices(): Choices {
    return this.#choices;
  }

  get carried(): Carried {
    return this.#diversions.carried;
  }

  /** What the kernel had when the agent came: kept unless there is a reason not to. */
  adopt(routes: Iterable<readonly [destination: string, device: string]>): void {
    for (const [destination, device] of routes) {
      if (!this.#choices.has(destination)) this.#choices.set(destination, device);
    }
  }

  /** Chooses anew, and says what is different from before. */
  choose(picture: PathPicture): Switched {
    const { next, covering } = this.#routes(picture);
    const carriedBefore = this.#diversions.carried;
    const isCoveredNow = (destination: string) => isCovered(parsePrefix(destination), covering);
    this.#diversions = divert({ picture, before: this.#diversions, isCovered: isCoveredNow });
    for (const [destination, device] of this.#diversions.routes) next.set(destination, device);
    const destinations = differing(this.#choices, next);
    this.#choices = next;
    return { destinations, tunnels: differing(carriedBefore, this.#diversions.carried) };
  }

  /** `covering`: prefixes that lead to a hub which is alive. */
  #routes(picture: PathPicture): { next: Map<string, string | null>; covering: readonly Prefix[] } {
    const next = new Map<string, string | null>();
    const lost: RouteEntry[] = [];
    const covering: Prefix[] = [];
    const covered: Prefix[] = [];
    for (const route of picture.index.routes.values()) {
      const [first = null] = route.via;
      // Probes go where the document says, dead or alive, or nobody would learn that the path is alive again.
      if (picture.index.probes.has(route.destination)) {
        next.set(route.destination, first);
        continue;
      }
      const device = this.#best(route, picture);
      next.set(route.destination, device ?? this.#lastResort(route));
      if (device === null) lost.push(route);
      if (isHostRoute(route)) continue;
      const prefix = prefixOf(route);
      if (prefix === null) continue;
      if (device !== null && !wayOf(route, device, picture).isFan) covering.push(prefix);
      covered.push(prefix);
    }
    for (const route of lost) {
      const [first = ''] = route.via;
      // What is met without a hub goes by a hub until it is proven, whether that one is alive or not.
      const outers = wayOf(route, first, picture).isDirect ? covered : covering;
      if (isCovered(prefixOf(route), outers)) next.set(route.destination, null);
    }
    return { next, covering };
  }

  /** The interface to use, or null when no path is known to be alive. */
  #best(route: RouteEntry, picture: PathPicture): string | null {
    const states = new Map<string, PathState>();
    for (const device of route.via) {
      const way = wayOf(route, device, picture);
      states.set(device, way.isDirect && way.state === 'returning' ? 'untried' : way.state);
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

function wayOf(route: RouteEntry, device: string, { index, health }: PathPicture): Way {
  const purpose = index.interfaces.get(device)?.purpose;
  if (purpose === undefined) return { state: 'dead', isDirect: false, isFan: false };
  const peer = purpose === 'transit' ? index.transitPeer(device) : index.peerAt(device, route.destination);
  if (peer === undefined) {
    const isFan = purpose === 'leaf';
    return { state: isFan ? 'alive' : 'untried', isDirect: false, isFan };
  }
  const state = health.of({ interface: device, publicKey: peer.public_key });
  return { state, isDirect: index.isDirect(peer), isFan: false };
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
