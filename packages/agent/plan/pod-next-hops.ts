// Next hops of a cluster's own routes. A cluster of flannel's host-gw writes `<slice of a node> via <address of that node>
// dev <leaf interface>`, which the kernel refuses unless a route by that interface leads to the address. A spoke meets
// most nodes by interfaces to hubs instead. So the network's prefix has a route by the leaf interface too, of a metric
// that no packet goes by. Packets for slices go by the network's own table (policy-rules/rules.ts).
import { nextHopDestination } from '../subsystems/routes/steps.ts';
import type { PathIndex } from './path-index.ts';

/** By destination, the interface. `choices`: the routes by which packets go. */
export function podNextHops(
  { document, interfaces }: PathIndex,
  choices: ReadonlyMap<string, string | null>,
): Map<string, string> {
  const routes = new Map<string, string>();
  for (const { next_hops: prefix, interface: leaf } of document.all('pods').values()) {
    // A hub has it already.
    if (prefix === null || !interfaces.has(leaf) || choices.get(prefix) === leaf) continue;
    routes.set(nextHopDestination(prefix), leaf);
  }
  return routes;
}
