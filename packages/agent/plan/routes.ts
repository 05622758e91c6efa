// Which interface each route goes through now: the first of its list whose path is alive, with hysteresis. The node
// decides this by itself, because it must be fast and must work without the platform.
import { agentRouteHoldMs } from '@powernode/core/limits';
import { contains, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { EntryValue, PeerEntry, RouteEntry } from '@powernode/core/wire/document';
import type { Liveness, PathHealth } from './health.ts';

export type Choices = ReadonlyMap<string, string | null>;

interface Situation {
  readonly entries: ReadonlyMap<string, EntryValue>;
  readonly health: PathHealth;
  readonly nowMs: number;
}

export class RouteChooser {
  #choices = new Map<string, string | null>();
  /** Since when a path has been alive without a break, by destination and interface. */
  readonly #aliveSince = new Map<string, number>();

  get choices(): Choices {
    return this.#choices;
  }

  /** What the kernel had when the agent came: kept unless there is a reason not to. */
  adopt(routes: Iterable<readonly [destination: string, device: string]>): void {
    for (const [destination, device] of routes) {
      if (!this.#choices.has(destination)) this.#choices.set(destination, device);
    }
  }

  /** Chooses anew; returns the destinations whose choice changed. */
  choose(situation: Situation): string[] {
    const paths = new Paths(situation);
    const routes: RouteEntry[] = [];
    for (const entry of situation.entries.values()) if (entry.kind === 'route') routes.push(entry);
    const next = new Map<string, string | null>();
    const lost: RouteEntry[] = [];
    const covering: Prefix[] = [];
    for (const route of routes) {
      const device = this.#best(route, paths, situation.nowMs);
      next.set(route.destination, device ?? route.via[0] ?? null);
      if (device === null) lost.push(route);
      else if (!isHostRoute(route)) addPrefix(covering, route.destination);
    }
    for (const route of lost) {
      const prefix = parsePrefix(route.destination);
      if (prefix === null) continue;
      if (covering.some((outer) => outer.length < prefix.length && contains(outer, prefix))) {
        next.set(route.destination, null);
      }
    }
    const changed = [...next]
      .filter(([key, device]) => this.#choices.get(key) !== device)
      .map(([key]) => key);
    this.#choices = next;
    this.#forget(next);
    return changed;
  }

  /** The interface to use, or null when no path is known to be alive. */
  #best(route: RouteEntry, paths: Paths, nowMs: number): string | null {
    const alive = route.via.filter((device) =>
      this.#watch(route, { device, nowMs }, paths.liveness(route, device)),
    );
    const first = alive[0];
    if (first === undefined) return null;
    const present = this.#choices.get(route.destination) ?? null;
    if (present === null || present === first || !alive.includes(present)) return first;
    // Something better is back. It has to have been there for a while, or one flapping path would move all traffic.
    const steady = alive.find((device) => nowMs - this.#since(route, device, nowMs) >= agentRouteHoldMs);
    return steady !== undefined && route.via.indexOf(steady) < route.via.indexOf(present) ? steady : present;
  }

  #watch(
    route: RouteEntry,
    at: { readonly device: string; readonly nowMs: number },
    liveness: Liveness,
  ): boolean {
    if (route.via.length < 2) return liveness === 'alive';
    const key = `${route.destination} ${at.device}`;
    if (liveness !== 'alive') this.#aliveSince.delete(key);
    else if (!this.#aliveSince.has(key)) this.#aliveSince.set(key, at.nowMs);
    return liveness === 'alive';
  }

  #since(route: RouteEntry, device: string, nowMs: number): number {
    return this.#aliveSince.get(`${route.destination} ${device}`) ?? nowMs;
  }

  #forget(known: ReadonlyMap<string, unknown>): void {
    for (const key of this.#aliveSince.keys()) {
      if (!known.has(key.slice(0, key.indexOf(' ')))) this.#aliveSince.delete(key);
    }
  }
}

function isHostRoute(route: RouteEntry): boolean {
  return route.destination.endsWith('/128') || route.destination.endsWith('/32');
}

function addPrefix(list: Prefix[], text: string): void {
  const prefix = parsePrefix(text);
  if (prefix !== null) list.push(prefix);
}

/** Which tunnel a route through an interface uses, and how that one is. */
class Paths {
  readonly #situation: Situation;
  readonly #purposes = new Map<string, 'leaf' | 'transit'>();
  /** The one peer of each transit interface; on leaves the peer of each exact prefix. */
  readonly #peers = new Map<string, PeerEntry>();

  constructor(situation: Situation) {
    this.#situation = situation;
    for (const entry of situation.entries.values()) {
      if (entry.kind === 'interface') this.#purposes.set(entry.name, entry.purpose);
    }
    for (const entry of situation.entries.values()) {
      if (entry.kind !== 'peer') continue;
      if (this.#purposes.get(entry.interface) === 'transit') this.#peers.set(entry.interface, entry);
      else for (const prefix of entry.allowed_ips) this.#peers.set(`${entry.interface} ${prefix}`, entry);
    }
  }

  liveness(route: RouteEntry, device: string): Liveness {
    const purpose = this.#purposes.get(device);
    if (purpose === undefined) return 'dead';
    const peer = this.#peers.get(purpose === 'transit' ? device : `${device} ${route.destination}`);
    if (peer !== undefined) {
      return this.#situation.health.of({ interface: device, publicKey: peer.public_key });
    }
    // A whole prefix behind a leaf interface (a hub's view) is not one path: each of its packets finds its own.
    return purpose === 'leaf' ? 'alive' : 'untried';
  }
}
