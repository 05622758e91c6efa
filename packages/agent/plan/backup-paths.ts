// What is decided beside the routes of the document. A backup path: packets for a spoke that a hub does not hear
// straight go by way of another hub that hears it. Anycast: an address that several peers answer for goes to the first
// that is heard.
import { withoutLength } from '@powernode/core/net/address';
import type { AnycastEntry, PeerEntry } from '@powernode/core/wire/document';
import { isHeard, type PathState } from '../probe/path-state.ts';
import type { ExtraAllowedIps } from '../subsystems/wireguard/peers.ts';
import { tunnelKey } from './path-index.ts';
import type { PathSituation } from './probe-health.ts';

export interface Overrides {
  readonly routes: ReadonlyMap<string, string>;
  readonly extraAllowedIps: ExtraAllowedIps;
}

interface Situation {
  readonly paths: PathSituation;
  /** Whether a wider route leads there too, by a hub that is alive. */
  readonly isCovered: (destination: string) => boolean;
  /** What was decided last. */
  readonly before: Overrides;
}

export const noOverrides: Overrides = { routes: new Map(), extraAllowedIps: new Map() };

export function overridesOf(situation: Situation): Overrides {
  const { index, sources } = situation.paths;
  const routes = new Map<string, string>();
  const extraAllowedIps = new Map<string, string[]>();
  for (const [address, { backupVia }] of sources) {
    if (backupVia === null || !index.interfaces.has(backupVia)) continue;
    for (const prefix of peerOfSource(address, situation.paths)?.allowed_ips ?? []) {
      routes.set(prefix, backupVia);
    }
  }
  for (const anycast of index.anycasts) {
    const nextHops = anycast.by.flatMap((one) => nextHopOf(one, situation.paths) ?? []);
    const used = index.holds(anycast.virtual_ip_id)
      ? undefined
      : nearest(nextHops, wasUsed(anycast, situation));
    for (const destination of anycast.destinations) {
      if (used !== undefined && isUsable(used, situation.isCovered(destination))) {
        routes.set(destination, used.device);
      }
    }
    // Its answers are taken from there too when nothing is sent there by this node: another hub may do so.
    const leafHop = used?.isLeaf
      ? used
      : nearest(
          nextHops.filter((one) => one.isLeaf),
          wasLeafHop(anycast, situation),
        );
    if (leafHop === undefined) continue;
    extraAllowedIps.set(leafHop.tunnel, [
      ...(extraAllowedIps.get(leafHop.tunnel) ?? []),
      ...anycast.destinations,
    ]);
  }
  return { routes, extraAllowedIps };
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

/** One of those who answer for an anycast address, as it is reached now. */
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
  one: AnycastEntry['by'][number],
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

function wasLeafHop({ destinations }: AnycastEntry, { before }: Situation): (nextHop: NextHop) => boolean {
  const [destination = ''] = destinations;
  return ({ tunnel }) => before.extraAllowedIps.get(tunnel)?.includes(destination) === true;
}

function wasUsed(anycast: AnycastEntry, situation: Situation): (nextHop: NextHop) => boolean {
  const device = situation.before.routes.get(anycast.destinations[0] ?? '');
  const isLeafHop = wasLeafHop(anycast, situation);
  return (nextHop) => nextHop.device === device && (!nextHop.isLeaf || isLeafHop(nextHop));
}
