// What differs between the routes that were chosen and those seen with the agent's protocol number.
import { familyOf, withoutLength } from '@powernode/core/net/address';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { forwardedFamilies } from '../nftables/intent.ts';
import { concernsRuleset } from '../nftables/plan.ts';
import type { ObservedRoute, ObservedState } from '../observed.ts';
import type { Step } from '../step.ts';
import { type PlanInput, type PlannedSteps, touches } from '../subsystem.ts';
import { type ForwardingStep, metricOf, noDevice, type RouteStep } from './steps.ts';

type Choices = PlanInput['choices'];

/** What differs of routes, and of the settings that make the machine forward. */
export function planRoutes(input: PlanInput, earlier: readonly Step[]): PlannedSteps {
  return { ...planEntries(input, rebuiltBy(earlier)), finish: planForwarding(input) };
}

/** Interfaces that are taken away or made before, and the kernel's routes through them with them. */
function rebuiltBy(steps: readonly Step[]): ReadonlySet<string> {
  const rebuilt = new Set<string>();
  for (const step of steps) {
    if (step.kind === 'remove_interface' || step.kind === 'create_interface') rebuilt.add(step.name);
  }
  return rebuilt;
}

function planEntries(
  { document, observed, scope, choices }: PlanInput,
  rebuilt: ReadonlySet<string>,
): { readonly withdraw: readonly RouteStep[]; readonly apply: readonly RouteStep[] } {
  if (!touches(scope, 'route/', 'interface/', 'subnet/', 'lan/', 'pods/') && rebuilt.size === 0)
    return { withdraw: [], apply: [] };
  const withdraw: RouteStep[] = [];
  const apply: RouteStep[] = [];
  const sources = new SourceAddresses(document);
  for (const [destination, found] of observed.routes) {
    const device = choices.get(destination) ?? null;
    for (const route of found) {
      if (rebuilt.has(route.device) || isOurs(route, device)) continue;
      // A route by another interface is replaced in one go further down, so that there is no moment without.
      if (device !== null && route.metric === metricOf(destination) && found.length === 1) continue;
      withdraw.push({ kind: 'remove_route', destination, device: route.device, metric: route.metric });
    }
  }
  for (const [destination, device] of choices) {
    if (device === null) continue;
    if (device !== noDevice && document.get('interface', device) === undefined) continue;
    // An interface of somebody else's has the name: nothing of ours goes through it.
    if (observed.interfaces.get(device)?.ours === false) continue;
    const source = sources.of(device, destination);
    const found = observed.routes.get(destination) ?? [];
    const same = (route: ObservedRoute) => isOurs(route, device) && route.source === source;
    if (!rebuilt.has(device) && found.some(same)) continue;
    apply.push({ kind: 'set_route', destination, device, source });
  }
  return { withdraw, apply };
}

/** The last of everything: rules guard what is forwarded. */
export function planForwarding({
  document,
  observed,
  scope,
  forwardingHeld,
}: Pick<PlanInput, 'document' | 'observed' | 'scope' | 'forwardingHeld'>): ForwardingStep[] {
  if (!concernsRuleset(scope)) return [];
  const needed = forwardedFamilies(document);
  return (['ipv6', 'ipv4'] as const).flatMap((family): ForwardingStep[] => {
    if (needed[family] && !observed.forwarding[family]) return [{ kind: 'start_forwarding', family }];
    return !needed[family] && forwardingHeld[family] ? [{ kind: 'stop_forwarding', family }] : [];
  });
}

function isOurs(route: ObservedRoute, device: string | null): boolean {
  return route.device === device && route.metric === metricOf(route.destination);
}

/** What packets into the overlay are sent from: an address of the network's leaf interface, of the same family. */
class SourceAddresses {
  readonly #document: NodeDocument;
  /** Of the leaf interface of a device's network. */
  readonly #byDevice = new Map<string, readonly string[]>();

  constructor(document: NodeDocument) {
    this.#document = document;
  }

  of(device: string, destination: string): string | null {
    const family = familyOf(destination);
    const address = this.#leafAddresses(device).find((one) => familyOf(one) === family);
    return address === undefined ? null : withoutLength(address);
  }

  #leafAddresses(device: string): readonly string[] {
    let addresses = this.#byDevice.get(device);
    if (addresses === undefined) {
      const networkId = this.#document.get('interface', device)?.network_id ?? '';
      const leaf = this.#document.inNetwork('interface', networkId).find((one) => one.purpose === 'leaf');
      addresses = leaf?.addresses ?? [];
      this.#byDevice.set(device, addresses);
    }
    return addresses;
  }
}

/**
 * The steps that take some destinations from one interface to another, without a look at the machine: a route is
 * replaced in one go, whatever it was.
 */
export function planSwitch(
  destinations: readonly string[],
  at: {
    readonly document: NodeDocument;
    readonly observed: ObservedState;
    readonly before: Choices;
    readonly choices: Choices;
  },
): RouteStep[] {
  const sources = new SourceAddresses(at.document);
  const removals: RouteStep[] = [];
  const others: RouteStep[] = [];
  for (const destination of destinations) {
    const device = at.choices.get(destination) ?? null;
    const old = at.before.get(destination) ?? null;
    if (device === null) {
      if (old === null) continue;
      removals.push({ kind: 'remove_route', destination, device: old, metric: metricOf(destination) });
    } else if (device === noDevice || at.observed.interfaces.get(device)?.ours === true) {
      others.push({ kind: 'set_route', destination, device, source: sources.of(device, destination) });
    }
  }
  return [...others, ...removals];
}

/** The routes as they are after such steps. */
export function routesAfter(
  routes: ObservedState['routes'],
  steps: readonly Step[],
): ObservedState['routes'] {
  const after = new Map(routes);
  for (const step of steps) {
    if (step.kind !== 'set_route' && step.kind !== 'remove_route') continue;
    const { destination, device } = step;
    const others = (after.get(destination) ?? []).filter((route) => route.metric !== metricOf(destination));
    const own: ObservedRoute[] =
      step.kind === 'set_route'
        ? [{ destination, device, source: step.source, metric: metricOf(destination) }]
        : [];
    if (others.length + own.length === 0) after.delete(destination);
    else after.set(destination, [...others, ...own]);
  }
  return after;
}
