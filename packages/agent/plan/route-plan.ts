// What differs between the routes that were chosen and those seen with the agent's protocol number.
import { familyOf, withoutLength } from '@powernode/core/net/address';
import type { EntryValue, InterfaceEntry } from '@powernode/core/wire/document';
import type { PlanInput } from './plan.ts';
import type { Choices } from './routes.ts';
import type { Seen, SeenRoute } from './seen.ts';
import type { Step } from './step.ts';

/** rtm_protocol of the agent's routes: what is ours is found by it. Not in /etc/iproute2/rt_protos of any system. */
export const routeProtocol = 212;
/** Better than the default of routes set by hand (1024), worse than the kernel's own (256). */
export const routeMetric = 512;

/** `rebuilt`: interfaces that are taken away before, and the kernel's routes through them with them. */
export function planRoutes(input: PlanInput, rebuilt: ReadonlySet<string>): Step[] {
  const steps: Step[] = [];
  const sources = new OwnAddresses(input.entries.values());
  for (const [destination, seen] of input.seen.routes) {
    const device = input.choices.get(destination) ?? null;
    for (const route of seen) {
      if (rebuilt.has(route.device) || isOurs(route, device)) continue;
      // A route by another interface is replaced in one go further down, so that there is no moment without.
      if (device !== null && route.metric === routeMetric && seen.length === 1) continue;
      steps.push({ kind: 'remove_route', destination, device: route.device, metric: route.metric });
    }
  }
  for (const [destination, device] of input.choices) {
    if (device === null || !input.entries.has(`interface/${device}`)) continue;
    // An interface of somebody else's has the name: nothing of ours goes through it.
    if (input.seen.interfaces.get(device)?.ours === false) continue;
    const source = sources.of(device, destination);
    const seen = input.seen.routes.get(destination) ?? [];
    const same = (route: SeenRoute) => isOurs(route, device) && route.source === source;
    if (!rebuilt.has(device) && seen.some(same)) continue;
    steps.push({ kind: 'set_route', destination, device, source });
  }
  return steps;
}

function isOurs(route: SeenRoute, device: string | null): boolean {
  return route.device === device && route.metric === routeMetric;
}

/** What packets into the overlay are sent from: an address of the network's leaf interface, of the same family. */
class OwnAddresses {
  readonly #networks = new Map<string, string>();
  readonly #byNetwork = new Map<string, readonly string[]>();

  constructor(entries: Iterable<EntryValue>) {
    for (const entry of entries) {
      if (entry.kind !== 'interface') continue;
      this.#networks.set(entry.name, entry.network_id);
      if (entry.purpose === 'leaf') this.#byNetwork.set(entry.network_id, entry.addresses);
    }
  }

  of(device: string, destination: string): string | null {
    const addresses = this.#byNetwork.get(this.#networks.get(device) ?? '') ?? [];
    const address = addresses.find((one) => familyOf(one) === familyOf(destination));
    return address === undefined ? null : withoutLength(address);
  }
}

/**
 * The steps that take some destinations from one interface to another, without a look at the machine: a route is
 * replaced in one go, whatever it was.
 */
export function planSwitch(
  destinations: readonly string[],
  at: {
    readonly interfaces: Iterable<InterfaceEntry>;
    readonly seen: Seen;
    readonly before: Choices;
    readonly choices: Choices;
  },
): Step[] {
  const sources = new OwnAddresses(at.interfaces);
  const removals: Step[] = [];
  const others: Step[] = [];
  for (const destination of destinations) {
    const device = at.choices.get(destination) ?? null;
    const old = at.before.get(destination) ?? null;
    if (device === null) {
      if (old === null) continue;
      removals.push({ kind: 'remove_route', destination, device: old, metric: routeMetric });
    } else if (at.seen.interfaces.get(device)?.ours === true) {
      others.push({ kind: 'set_route', destination, device, source: sources.of(device, destination) });
    }
  }
  return [...others, ...removals];
}

/** The routes as they are after such steps. */
export function routesAfter(routes: Seen['routes'], steps: readonly Step[]): Seen['routes'] {
  const after = new Map(routes);
  for (const step of steps) {
    if (step.kind !== 'set_route' && step.kind !== 'remove_route') continue;
    const { destination, device } = step;
    const others = (after.get(destination) ?? []).filter((route) => route.metric !== routeMetric);
    const own: SeenRoute[] =
      step.kind === 'set_route' ? [{ destination, device, source: step.source, metric: routeMetric }] : [];
    if (others.length + own.length === 0) after.delete(destination);
    else after.set(destination, [...others, ...own]);
  }
  return after;
}
