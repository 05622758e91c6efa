// Which way packets go now: what is known of paths, the choices that follow from it, and what these have changed.
import { DocumentIndex } from '../plan/document-index.ts';
import { PassiveHealth } from '../plan/health.ts';
import type { Carried } from '../plan/peers.ts';
import { ProbeHealth } from '../plan/probe-health.ts';
import { routeMetric } from '../plan/route-plan.ts';
import { type Choices, RouteChooser, type Switched } from '../plan/routes.ts';
import type { Seen } from '../plan/seen.ts';
import type { ProberNews } from '../probe/messages.ts';
import type { Held } from '../state/held.ts';

export class Ways {
  readonly index = new DocumentIndex();
  readonly #passive = new PassiveHealth();
  readonly #health = new ProbeHealth(this.#passive, this.index);
  readonly #chooser = new RouteChooser();
  /** Keys of entries that were decided anew and that a look may not show yet. */
  #own = new Set<string>();

  get choices(): Choices {
    return this.#chooser.choices;
  }

  get carried(): Carried {
    return this.#chooser.carried;
  }

  update(held: Held, keys: ReadonlySet<string> | 'all'): void {
    this.index.update(held.entries, keys);
  }

  take(news: ProberNews): void {
    this.#health.take(news);
  }

  /** The prober begins anew. */
  forgetProbes(): void {
    this.#health.forgetHeard();
  }

  /** What the kernel had when the agent came is kept until there is a reason. */
  adopt(seen: Seen): void {
    const found: [string, string][] = [];
    for (const [destination, routes] of seen.routes) {
      const route = routes.find((one) => one.metric === routeMetric);
      if (route !== undefined) found.push([destination, route.device]);
    }
    this.#chooser.adopt(found);
  }

  /** Takes what WireGuard counted on one interface into account. */
  weigh(name: string, seen: Seen, nowMs: number): void {
    this.#passive.look(name, seen.interfaces.get(name)?.device?.peers.values() ?? [], nowMs);
  }

  /** Forgets tunnels that are not in the document. */
  keepOnly(isKnown: (tunnel: string) => boolean): void {
    this.#passive.keepOnly(isKnown);
  }

  choose(): Switched {
    const switched = this.#chooser.choose({
      index: this.index,
      health: this.#health,
      sources: this.#health.sources,
    });
    for (const key of keysOf(switched)) this.#own.add(key);
    return switched;
  }

  /** A look begins: it will show what was decided before. */
  lookBegins(): void {
    this.#own = new Set();
  }

  /** Whether what differs under this key may be the agent's own decision of a moment ago. */
  isOwn(key: string): boolean {
    return this.#own.has(key);
  }
}

/** The keys of the entries whose part of the machine a choice has changed. */
export function keysOf(switched: Switched): string[] {
  return [...switched.destinations.map((destination) => `route/${destination}`), ...switched.tunnels];
}
