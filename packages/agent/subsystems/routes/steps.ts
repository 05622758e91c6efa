// Steps that set routes, and whether the machine forwards.
import type { ByFamily } from '../observed.ts';

/** rtm_protocol of the agent's routes: what is ours is found by it. Not in /etc/iproute2/rt_protos of any system. */
export const routeProtocol = 212;
/** Better than the default of routes set by hand (1024), worse than the kernel's own (256). */
export const routeMetric = 512;

/**
 * Worse than that, so that no packet goes by it: the kernel accepts a next hop on an interface only where a route by that
 * interface leads to it, whatever its metric (fib_check_nh of IPv4; of IPv6 ip6_route_check_nh).
 */
export const nextHopMetric = 4096;

/** The destination of such a route, as `ip route` takes it: beside that of the same prefix by which packets go. */
export function nextHopDestination(prefix: string): string {
  return `${prefix} metric ${nextHopMetric}`;
}

/**
 * Of a copy in the main table, made for routing daemons of this machine, which read no other one. Packets of the machine
 * pass over it (policy-rules/rules.ts) and over what it covers.
 */
export const exportedMetric = 8192;

/** The destination of such a copy. */
export function exportedDestination(prefix: string): string {
  return `${prefix} metric ${exportedMetric}`;
}

const destinationByMetric: ReadonlyMap<number, (prefix: string) => string> = new Map([
  [nextHopMetric, nextHopDestination],
  [exportedMetric, exportedDestination],
]);

/** The destination of a route that was seen in the main table. */
export function mainDestination(prefix: string, metric: number | undefined): string {
  return destinationByMetric.get(metric ?? 0)?.(prefix) ?? prefix;
}

/** Of the agent's route to a destination. */
export function metricOf(destination: string): number {
  const [, metric] = destination.split(' metric ');
  return metric === undefined ? routeMetric : Number(metric);
}

/** The device of a route that ends the look into its table, so that the next rule decides (ip-route(8), `throw`). */
export const noDevice = 'throw';

export type RouteStep =
  | {
      readonly kind: 'remove_route';
      readonly destination: string;
      readonly device: string;
      readonly metric: number;
    }
  | {
      readonly kind: 'set_route';
      readonly destination: string;
      readonly device: string;
      readonly source: string | null;
    };

export type ForwardingStep = {
  readonly kind: 'start_forwarding' | 'stop_forwarding';
  readonly family: keyof ByFamily;
};
