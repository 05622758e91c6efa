// What a hub decides beside the routes of the document. A detour: packets for a spoke that is not heard straight go by
// way of another hub that hears it. Anycast: an address that several peers answer for goes to the first that is heard.
import type { AnycastEntry, PeerEntry } from '@powernode/core/wire/document';
import { isHeard, type PathState } from '../probe/judge.ts';
import { tunnelKey } from './document-index.ts';
import type { PathPicture } from './routes.ts';

export interface Diversions {
  readonly routes: ReadonlyMap<string, string>;
  /** AllowedIPs that peers have beside those of their entries, by the key of their entry. */
  readonly carried: ReadonlyMap<string, readonly string[]>;
}

interface Situation {
  readonly picture: PathPicture;
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
    const taker = nearest(anycast, situation);
    if (taker === undefined) continue;
    for (const destination of anycast.destinations) routes.set(destination, taker.device);
    if (!taker.isLeaf) continue;
    carried.set(taker.tunnel, [...(carried.get(taker.tunnel) ?? []), ...anycast.destinations]);
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
}

/** The first that is heard, with hysteresis; when none is, it stays where it is. */
function nearest(anycast: AnycastEntry, situation: Situation): Taker | undefined {
  const takers = anycast.by.map((one) => takerOf(one, situation.picture));
  const present = takers.find((taker) => isPresent(taker, anycast, situation.before));
  const alive = takers.find(({ state }) => state === 'alive');
  if (present !== undefined && isHeard(present.state)) {
    return alive !== undefined && takers.indexOf(alive) < takers.indexOf(present) ? alive : present;
  }
  return alive ?? takers.find(({ state }) => isHeard(state)) ?? present ?? takers[0];
}

function takerOf(one: AnycastEntry['by'][number], { index, health, sources }: PathPicture): Taker {
  const at = { interface: one.interface, publicKey: one.public_key };
  const tunnel = tunnelKey(at);
  const address = index.peer(tunnel)?.allowed_ips[0]?.split('/', 1)[0] ?? '';
  const detour = sources.get(address)?.detour ?? null;
  // Behind a detour it is there, and anybody who is heard straight is nearer.
  if (detour !== null) return { tunnel, device: detour, isLeaf: false, state: 'returning' };
  const isLeaf = index.interfaces.get(one.interface)?.purpose === 'leaf';
  return { tunnel, device: one.interface, isLeaf, state: health.of(at) };
}

function isPresent(taker: Taker, anycast: AnycastEntry, before: Diversions): boolean {
  const [destination = ''] = anycast.destinations;
  if (taker.isLeaf) return before.carried.get(taker.tunnel)?.includes(destination) === true;
  return before.routes.get(destination) === taker.device;
}
