// Next hops, as what is decided beside the routes of the document knows them (anycast.ts, subnets.ts): tunnels that lead to
// where packets are to go, which of them is used, and in whose AllowedIPs the destination is.
import { withoutLength } from '@powernode/core/net/address';
import type { TunnelName } from '@powernode/core/wire/tunnels';
import { isHeard, type PathState } from '../probe/path-state.ts';
import type { ExtraAllowedIps } from '../subsystems/wireguard/peers.ts';
import { tunnelKey } from './path-index.ts';
import type { PathSituation } from './probe-health.ts';

/** Routes, by destination, and AllowedIPs, by tunnel, that are added to those of the document. */
export interface Overrides {
  readonly routes: ReadonlyMap<string, string>;
  readonly extraAllowedIps: ExtraAllowedIps;
}

export const noOverrides: Overrides = { routes: new Map(), extraAllowedIps: new Map() };

/** A tunnel that leads to where packets are to go, as it is now. */
export interface NextHop {
  readonly tunnel: string;
  readonly device: string;
  readonly isLeaf: boolean;
  readonly state: PathState;
  /** Nothing is sent there before it is proven. */
  readonly isDirect: boolean;
}

/** The first that is heard, with hysteresis; when none is, it stays where it is. */
export function preferred(
  nextHops: readonly NextHop[],
  isPresent: (nextHop: NextHop) => boolean,
): NextHop | undefined {
  const present = nextHops.find(isPresent);
  const alive = nextHops.find(({ state }) => state === 'alive');
  if (present !== undefined && isHeard(present.state)) {
    return alive !== undefined && nextHops.indexOf(alive) < nextHops.indexOf(present) ? alive : present;
  }
  return alive ?? nextHops.find(({ state }) => isHeard(state)) ?? present ?? nextHops[0];
}

/** undefined: this node has no such tunnel, or only observes by it. */
export function nextHopOf(one: TunnelName, { index, health, sources }: PathSituation): NextHop | undefined {
  const at = { interface: one.interface, publicKey: one.public_key };
  const tunnel = tunnelKey(at);
  const peer = index.peer(tunnel);
  const [first] = peer?.allowed_ips ?? [];
  if (peer === undefined || first === undefined) return undefined;
  const backupVia = sources.get(withoutLength(first))?.backupVia ?? null;
  // Behind a backup path it is there, and anybody who is heard straight is nearer.
  if (backupVia !== null)
    return { tunnel, device: backupVia, isLeaf: false, state: 'returning', isDirect: false };
  const isLeaf = index.interfaces.get(one.interface)?.purpose === 'leaf';
  const heard = health.of(at);
  const isDirect = index.isDirect(peer);
  const state = isDirect && heard === 'returning' ? 'untried' : heard;
  return { tunnel, device: one.interface, isLeaf, state, isDirect };
}

/** Else its packets go where the rest of the network goes. */
export function isUsable({ state, isDirect }: NextHop, isCovered: boolean): boolean {
  return isHeard(state) || (!isDirect && !isCovered);
}

/** Which hop was used before. `route` is the destination as of the route, `prefix` as of AllowedIPs. */
export function usedBefore(
  before: Overrides,
  { route, prefix }: { readonly route: string; readonly prefix: string },
): {
  readonly isLeafHop: (hop: NextHop) => boolean;
  readonly isUsed: (hop: NextHop) => boolean;
} {
  const device = before.routes.get(route);
  const isLeafHop = ({ tunnel }: NextHop) => before.extraAllowedIps.get(tunnel)?.includes(prefix) === true;
  return { isLeafHop, isUsed: (hop) => hop.device === device && (!hop.isLeaf || isLeafHop(hop)) };
}

/** Puts prefixes into the AllowedIPs of a tunnel, beside what was put there before. */
export function allow(
  allowedIps: Map<string, readonly string[]>,
  tunnel: string,
  prefixes: readonly string[],
): void {
  allowedIps.set(tunnel, [...(allowedIps.get(tunnel) ?? []), ...prefixes]);
}
