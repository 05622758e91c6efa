// What differs between the routes that were chosen and those seen with the agent's protocol number.
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type { PlanInput } from './plan.ts';
import type { SeenRoute } from './seen.ts';
import type { Step } from './step.ts';

/** rtm_protocol of the agent's routes: what is ours is found by it. Not in /etc/iproute2/rt_protos of any system. */
export const routeProtocol = 212;
/** Better than the default of routes set by hand (1024), worse than the kernel's own (256). */
export const routeMetric = 512;

/** `rebuilt`: interfaces that are taken away before, and the kernel's routes through them with them. */
export function planRoutes(input: PlanInput, rebuilt: ReadonlySet<string>): Step[] {
  const steps: Step[] = [];
  const sources = sourceAddresses(input);
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
    const entry = input.entries.get(`route/${destination}`);
    const source = entry?.kind === 'route' ? (sources.get(entry.network_id) ?? null) : null;
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

/** The address of each network's leaf interface: what packets into the overlay are sent from. */
function sourceAddresses(input: PlanInput): Map<string, string> {
  const sources = new Map<string, string>();
  for (const entry of input.entries.values()) {
    if (entry.kind !== 'interface' || entry.purpose !== 'leaf') continue;
    const address = firstAddress(entry);
    if (address !== null) sources.set(entry.network_id, address);
  }
  return sources;
}

function firstAddress(entry: InterfaceEntry): string | null {
  return entry.addresses[0]?.split('/', 1)[0] ?? null;
}
