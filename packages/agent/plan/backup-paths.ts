// Backup paths, which are decided beside the routes of the document: packets for a spoke that a hub does not hear straight
// go by way of another hub that hears it. And next hops, as what is decided beside routes knows them (anycast.ts,
// subnets.ts).
import { withoutLength } from '@powernode/core/net/address';
import type { PeerEntry } from '@powernode/core/wire/document';
import { isHeard, type PathState } from '../probe/path-state.ts';
import type { ExtraAllowedIps } from '../subsystems/wireguard/peers.ts';
import { tunnelKey } from './path-index.ts';
import type { PathSituation } from './probe-health.ts';

export interface Overrides {
  readonly routes: ReadonlyMap<string, string>;
  readonly extraAllowedIps: ExtraAllowedIps;
}

export const noOverrides: Overrides = { routes: new Map(), extraAllowedIps: new Map() };

/** By destination, the relay to another hub. */
export function backupRoutes(paths: PathSituation): Map<string, string> {
  const routes = new Map<string, string>();
  for (const [address, { backupVia }] of paths.sources) {
    if (backupVia === null || !paths.index.interfaces.has(backupVia)) continue;
    for (const prefix of peerOfSource(address, paths)?.allowed_ips ?? []) routes.set(prefix, backupVia);
  }
  return routes;
}

/** The leaf peer that has the address. */
function peerOfSource(address: string, { index }: PathSituation): PeerEntry | undefined {
  for (const one of index.interfaces.values()) {
    if (one.purpose !== 'leaf') continue;
    const peer = index.peerAt(one.name, `${address}/128`);
    if (peer !== undefined) return peer;
  }
  return undefined;
}

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
export function nearest(
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
export function nextHopOf(
  one: { readonly interface: string; readonly public_key: string },
  { index, health, sources }: PathSituation,
): NextHop | undefined {
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
