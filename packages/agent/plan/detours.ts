// What is decided beside the routes of the document. A detour: packets for a spoke that a hub does not hear straight go
// by way of another hub that hears it. Anycast: an address that several peers answer for goes to the first that is heard.
import { withoutLength } from '@powernode/core/net/address';
import type { AnycastEntry, PeerEntry } from '@powernode/core/wire/document';
import { isHeard, type PathState } from '../probe/judge.ts';
import { tunnelKey } from './document-index.ts';
import type { Carried } from './peers.ts';
import type { PathPicture } from './routes.ts';

export interface Diversions {
  readonly routes: ReadonlyMap<string, string>;
  readonly carried: Carried;
}

interface Situation {
  readonly picture: PathPicture;
  /** Whether a wider route leads there too, by a hub that is alive. */
  readonly isCovered: (destination: string) => boolean;
  /** What was decided last. */
  readonly before: Diversions;
}

export const noDiversions: Diversions = { routes: new Map(), carried: new Map() };

export function divert(situation: Situation): Diversions {
  const { index, sources } = situation.picture;
  const routes = new Map<string, string>();
  const carried = new Map<string, string[]>();
  for (const [address, { detour }] of sources) {
    if (detour === null || !index.interfaces.has(detour)) continue;
    for (const prefix of peerOfSource(address, situation.picture)?.allowed_ips ?? []) {
      routes.set(prefix, detour);
    }
  }
  for (const anycast of index.anycasts.values()) {
    const takers = anycast.by.flatMap((one) => takerOf(one, situation.picture) ?? []);
    const used = index.holds(anycast.virtual_ip_id)
      ? undefined
      : nearest(takers, isUsedBefore(anycast, situation));
    for (const destination of anycast.destinations) {
      if (used !== undefined && isUsable(used, situation.isCovered(destination))) {
        routes.set(destination, used.device);
      }
    }
    // Its answers are taken from there too when nothing is sent there by this node: another hub may do so.
    const met = used?.isLeaf
      ? used
      : nearest(
          takers.filter((one) => one.isLeaf),
          isMetBefore(anycast, situation),
        );
    if (met === undefined) continue;
    carried.set(met.tunnel, [...(carried.get(met.tunnel) ?? []), ...anycast.destinations]);
  }
  return { routes, carried };
}

/** The leaf peer that has the address. */
function peerOfSource(address: string, { index }: PathPicture): PeerEntry | undefined {
  for (const one of index.interfaces.values()) {
    if (one.purpose !== 'leaf') continue;
    const peer = index.peerAt(one.name, `${address}/128`);
    if (peer !== undefined) return peer;
  }
  return undefined;
}

/** One of those who answer for an anycast address, as it is reached now. */
interface Taker {
  readonly tunnel: string;
  readonly device: string;
  readonly isLeaf: boolean;
  readonly state: PathState;
  /** Nothing is sent there before it is proven. */
  readonly isDirect: boolean;
}

/** The first that is heard, with hysteresis; when none is, it stays where it is. */
function nearest(takers: readonly Taker[], isPresent: (taker: Taker) => boolean): Taker | undefined {
  const present = takers.find(isPresent);
  const alive = takers.find(({ state }) => state === 'alive');
  if (present !== undefined && isHeard(present.state)) {
    return alive !== undefined && takers.indexOf(alive) < takers.indexOf(present) ? alive : present;
  }
  return alive ?? takers.find(({ state }) => isHeard(state)) ?? present ?? takers[0];
}

/** undefined: this node has no such tunnel, or only observes by it. */
function takerOf(
  one: AnycastEntry['by'][number],
  { index, health, sources }: PathPicture,
): Taker | undefined {
  const at = { interface: one.interface, publicKey: one.public_key };
  const tunnel = tunnelKey(at);
  const peer = index.peer(tunnel);
  const [first] = peer?.allowed_ips ?? [];
  if (peer === undefined || first === undefined) return undefined;
  const detour = sources.get(withoutLength(first))?.detour ?? null;
  // Behind a detour it is there, and anybody who is heard straight is nearer.
  if (detour !== null) return { tunnel, device: detour, isLeaf: false, state: 'returning', isDirect: false };
  const isLeaf = index.interfaces.get(one.interface)?.purpose === 'leaf';
  const heard = health.of(at);
  const isDirect = index.isDirect(peer);
  const state = isDirect && heard === 'returning' ? 'untried' : heard;
  return { tunnel, device: one.interface, isLeaf, state, isDirect };
}

/** Else its packets go where the rest of the network goes. */
function isUsable({ state, isDirect }: Taker, isCovered: boolean): boolean {
  return isHeard(state) || (!isDirect && !isCovered);
}

function isMetBefore({ destinations }: AnycastEntry, { before }: Situation): (taker: Taker) => boolean {
  const [destination = ''] = destinations;
  return ({ tunnel }) => before.carried.get(tunnel)?.includes(destination) === true;
}

function isUsedBefore(anycast: AnycastEntry, situation: Situation): (taker: Taker) => boolean {
  const device = situation.before.routes.get(anycast.destinations[0] ?? '');
  const isMet = isMetBefore(anycast, situation);
  return (taker) => taker.device === device && (!taker.isLeaf || isMet(taker));
}
