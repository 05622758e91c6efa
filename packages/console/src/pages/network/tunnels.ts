// The tunnels of a network as pairs of peers, with what each is for and whether it is up. No elements here.
import type { Topology } from '@powernode/core/intent/peer';
import { silentAfterMs } from '@powernode/core/limits/overlay';

type Node = Topology['nodes'][number];
type Link = Topology['links'][number];

/** backbone: between hubs; direct: a hub and a spoke that others can call; shortcut: two spokes that meet without a hub;
 * relay: a spoke's way to other spokes; standby: a spoke's tunnel to a hub that it could use instead. */
export type TunnelKind = 'backbone' | 'direct' | 'shortcut' | 'relay' | 'standby';
/** up: a handshake within 5 minutes; stale: an older one; none: not yet; down: nothing passes it now. */
export type TunnelHealth = 'up' | 'stale' | 'none' | 'down';

export interface Tunnel {
  readonly id: string;
  readonly a: Node;
  readonly b: Node;
  readonly kind: TunnelKind;
  readonly health: TunnelHealth;
  readonly lastHandshakeAt: string | null;
  /** What each end has configured; an end that has not (yet) is absent. */
  readonly fromA: Link | null;
  readonly fromB: Link | null;
}

export function tunnelsOf(topology: Pick<Topology, 'nodes' | 'links'>, now: number): Tunnel[] {
  const nodes = new Map(topology.nodes.map((node) => [node.peer_id, node]));
  const pairs = new Map<string, { fromA: Link | null; fromB: Link | null }>();
  for (const link of topology.links) {
    const forward = link.peer_id < link.remote_peer_id;
    const id = forward ? `${link.peer_id} ${link.remote_peer_id}` : `${link.remote_peer_id} ${link.peer_id}`;
    const pair = pairs.get(id) ?? { fromA: null, fromB: null };
    if (forward) pair.fromA = newer(pair.fromA, link);
    else pair.fromB = newer(pair.fromB, link);
    pairs.set(id, pair);
  }
  return [...pairs].flatMap(([id, pair]): Tunnel[] => {
    const [aId = '', bId = ''] = id.split(' ');
    const [a, b] = [nodes.get(aId), nodes.get(bId)];
    if (a === undefined || b === undefined) return [];
    const lastHandshakeAt = latest(pair.fromA, pair.fromB);
    const kind = kindOf(a, b);
    const health = isDown({ a, b, kind, ...pair }) ? 'down' : healthOf(lastHandshakeAt, now);
    return [{ id, a, b, kind, health, lastHandshakeAt, ...pair }];
  });
}

function kindOf(a: Node, b: Node): TunnelKind {
  if (a.role === 'hub' && b.role === 'hub') return 'backbone';
  if (a.role === b.role) return 'shortcut';
  const [hub, spoke] = a.role === 'hub' ? [a, b] : [b, a];
  if (spoke.path === 'direct') return 'direct';
  return spoke.via_hub_peer_id === hub.peer_id ? 'relay' : 'standby';
}

/** Its own probes say so, or one of its ends is not there. Two spokes meet also when their hubs are gone. */
function isDown({ a, b, kind, fromA, fromB }: Pick<Tunnel, 'a' | 'b' | 'kind' | 'fromA' | 'fromB'>): boolean {
  if (fromA?.answers === false || fromB?.answers === false) return true;
  if (fromA?.answers === true || fromB?.answers === true) return false;
  const isGone = ({ reachable, unreachable_because: because }: Node) =>
    reachable === false && (kind !== 'shortcut' || because?.code === 'offline');
  return isGone(a) || isGone(b);
}

export function healthOf(lastHandshakeAt: string | null, now: number): TunnelHealth {
  if (lastHandshakeAt === null) return 'none';
  return now - Date.parse(lastHandshakeAt) > silentAfterMs ? 'stale' : 'up';
}

/** A pair may have two tunnels in one direction (leaf and transit); the one that speaks counts. */
function newer(one: Link | null, other: Link): Link {
  if (one === null) return other;
  if (one.answers !== null || other.answers !== null) return one.answers === null ? other : one;
  return (other.last_handshake_at ?? '') > (one.last_handshake_at ?? '') ? other : one;
}

function latest(a: Link | null, b: Link | null): string | null {
  const [x, y] = [a?.last_handshake_at ?? null, b?.last_handshake_at ?? null];
  if (x === null || y === null) return x ?? y;
  return x > y ? x : y;
}

/** The hub that a spoke belongs to in the topology: the one that it goes through, else the first it has a tunnel with. */
export function homesOf(topology: Pick<Topology, 'nodes' | 'links'>): ReadonlyMap<string, string> {
  const hubs = new Set(topology.nodes.filter((node) => node.role === 'hub').map((node) => node.peer_id));
  const firstHub = new Map<string, string>();
  for (const { peer_id: from, remote_peer_id: to } of topology.links) {
    if (hubs.has(to) && !firstHub.has(from)) firstHub.set(from, to);
    if (hubs.has(from) && !firstHub.has(to)) firstHub.set(to, from);
  }
  const anyHub = hubs.values().next().value;
  const homes = new Map<string, string>();
  for (const node of topology.nodes) {
    if (node.role === 'hub') continue;
    const via = node.via_hub_peer_id;
    const home = via !== null && hubs.has(via) ? via : (firstHub.get(node.peer_id) ?? anyHub);
    if (home !== undefined) homes.set(node.peer_id, home);
  }
  return homes;
}
