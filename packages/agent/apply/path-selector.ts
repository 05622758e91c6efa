// Which way packets go now: what is known of paths, the choices that follow from it, and what these have changed.
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { type BgpDecisions, noDecisions } from '../plan/bgp-decisions.ts';
import { PassiveHealth, type PathHealth } from '../plan/health.ts';
import { PathIndex, tunnelKey } from '../plan/path-index.ts';
import { ProbeHealth } from '../plan/probe-health.ts';
import { type Choices, type RouteChanges, RouteChooser } from '../plan/route-choice.ts';
import type { ProberNews } from '../probe/messages.ts';
import type { PathState } from '../probe/path-state.ts';
import type { ObservedState } from '../subsystems/observed.ts';
import { metricOf } from '../subsystems/routes/steps.ts';
import type { ExtraAllowedIps } from '../subsystems/wireguard/peers.ts';

export class PathSelector {
  readonly index = new PathIndex();
  readonly #passive = new PassiveHealth();
  readonly #health = new ProbeHealth(this.#passive, this.index);
  readonly #chooser: RouteChooser;
  /** Keys of entries that were decided anew and that a look may not show yet. */
  #own = new Set<string>();
  readonly #bgp: BgpDecisions;
  readonly #nowMs: () => number;

  /** `nowMs`: of a clock that never jumps. */
  constructor(nowMs: () => number, bgp: BgpDecisions = noDecisions, exportRoutes = false) {
    this.#chooser = new RouteChooser(exportRoutes);
    this.#nowMs = nowMs;
    this.#bgp = bgp;
  }

  get choices(): Choices {
    return this.#chooser.choices;
  }

  /** When to choose again although nothing has happened; null: never. */
  get dueMs(): number | null {
    return this.#chooser.dueMs;
  }

  /** How paths are, as far as is known. */
  get health(): PathHealth {
    return this.#health;
  }

  /** Whether any probe, or any answer to one, was heard a moment ago. */
  get isAnyHeard(): boolean {
    return this.#health.isAnyHeard;
  }

  get extraAllowedIps(): ExtraAllowedIps {
    return this.#chooser.extraAllowedIps;
  }

  update(document: NodeDocument, keys: ReadonlySet<string> | 'all'): void {
    this.index.update(document, keys);
  }

  take(news: ProberNews): void {
    this.#health.apply(news);
  }

  /** The prober begins anew. */
  forgetProbes(): void {
    this.#health.forgetHeard();
  }

  /** What the kernel had when the agent came is kept until there is a reason. */
  adopt(observed: ObservedState): void {
    const found: [string, string][] = [];
    for (const [destination, routes] of observed.routes) {
      const route = routes.find((one) => one.metric === metricOf(destination));
      if (route !== undefined) found.push([destination, route.device]);
    }
    this.#chooser.adopt(found);
    const { document } = this.index;
    const anycast = new Set([...document.all('anycast').values()].flatMap((entry) => entry.destinations));
    const prefixes = new Set([...document.all('subnet').values()].map(({ prefix }) => prefix));
    this.#chooser.adoptAllowedIps(allowedIpsAmong(anycast.union(prefixes), observed), anycast);
  }

  /** Takes what WireGuard counted on one interface into account. */
  weigh(name: string, observed: ObservedState, nowMs: number): void {
    this.#passive.observe(name, observed.interfaces.get(name)?.device?.peers.values() ?? [], nowMs);
  }

  /** Forgets tunnels that are not in the document. */
  keepOnly(isKnown: (tunnel: string) => boolean): void {
    this.#passive.keepOnly(isKnown);
  }

  /** Whether a tunnel carries packets, by what WireGuard counted. */
  stateOf(tunnel: { readonly interface: string; readonly publicKey: string }): PathState {
    return this.#passive.of(tunnel);
  }

  choose(): RouteChanges {
    const switched = this.#chooser.choose({
      index: this.index,
      health: this.#health,
      sources: this.#health.sources,
      bgp: this.#bgp,
      holders: this.#health.holders,
      nowMs: this.#nowMs(),
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
export function keysOf(switched: RouteChanges): string[] {
  return [...switched.destinations.map((destination) => `route/${destination}`), ...switched.tunnels];
}

/** The peers that have some of these prefixes among their AllowedIPs, by key. */
function allowedIpsAmong(
  prefixes: ReadonlySet<string>,
  { interfaces }: ObservedState,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  if (prefixes.size === 0) return found;
  for (const { name, ours, device } of interfaces.values()) {
    if (!ours) continue;
    for (const { publicKey, allowedIps } of device?.peers.values() ?? []) {
      const own = allowedIps.filter((prefix) => prefixes.has(prefix));
      if (own.length > 0) found.set(tunnelKey({ interface: name, publicKey }), own);
    }
  }
  return found;
}
