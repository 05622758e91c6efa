// LANs in the topology: each stands outside of the peers, near those in front of it. No elements here.
import { consoleTopologyLansMax } from '@powernode/core/limits/console';
import type { PeerState } from '../../../parts/peer-state.ts';
import type { TunnelHealth } from '../tunnels.ts';

/** A prefix and the peers in front of it. */
export interface Lan {
  readonly prefix: string;
  readonly description: string;
  readonly holders: readonly {
    readonly peerId: string;
    /** The one that other peers use. */
    readonly best: boolean;
  }[];
}

export interface LanSpot {
  readonly kind: 'lan';
  readonly id: string;
  readonly lan: Lan;
  /** Of its middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface LanLine {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** lan: packets for it go this way; lan-standby: another peer is used. */
  readonly kind: 'lan' | 'lan-standby';
  readonly health: TunnelHealth;
}

/** A peer that is drawn. */
export interface DrawnPeer {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly state: PeerState;
}

export interface DrawnLans {
  readonly spots: readonly LanSpot[];
  readonly lines: readonly LanLine[];
  /** LANs that are there and not drawn: there are too many, or their peers are not drawn either. */
  readonly leftOut: number;
}

const lanSize = { width: 176, height: 42 };
/** Between LANs, and between them and the peers. */
const gap = 26;

/** `stretch`: how much wider than high the topology is. */
export function drawLans(
  lans: readonly Lan[],
  { peers, stretch }: { readonly peers: readonly DrawnPeer[]; readonly stretch: number },
): DrawnLans {
  const byId = new Map(peers.map((peer) => [peer.id, peer]));
  // In an order that does not depend on how they are, so that the topology does not jump.
  const drawn = lans
    .filter(({ holders }) => holders.some(({ peerId }) => byId.has(peerId)))
    .toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))
    .slice(0, consoleTopologyLansMax);
  const apart = Math.hypot(lanSize.width / stretch, lanSize.height) + gap / 2;
  const placed = placesAround(
    drawn.map((lan) => angleOf(lan, byId, stretch)),
    { least: radiusAround(peers, stretch), apart },
  );
  const spots = drawn.map((lan, i): LanSpot => {
    const { angle = 0, radius = 0 } = placed[i] ?? {};
    return {
      kind: 'lan',
      id: `lan ${lan.prefix}`,
      lan,
      ...lanSize,
      x: Math.round(Math.cos(angle) * radius * stretch),
      y: Math.round(Math.sin(angle) * radius),
    };
  });
  const lines = spots.flatMap(({ id, lan }) =>
    lan.holders.flatMap(({ peerId, best }): LanLine[] => {
      const peer = byId.get(peerId);
      if (peer === undefined) return [];
      const health = peer.state === 'unreachable' || peer.state === 'silent' ? 'down' : 'up';
      return [{ id: `${id} ${peerId}`, from: peerId, to: id, kind: best ? 'lan' : 'lan-standby', health }];
    }),
  );
  return { spots, lines, leftOut: lans.length - drawn.length };
}

/** So far from the middle that no peer is met in any direction, before everything is stretched. */
function radiusAround(peers: readonly DrawnPeer[], stretch: number): number {
  const corners = peers.map(({ x, y, width, height }) =>
    Math.hypot((Math.abs(x) + width / 2) / stretch, Math.abs(y) + height / 2),
  );
  return Math.max(0, ...corners) + Math.hypot(lanSize.width / stretch, lanSize.height) / 2 + gap;
}

/** The direction of its peers, as seen from the middle. */
function angleOf({ holders }: Lan, byId: ReadonlyMap<string, DrawnPeer>, stretch: number): number {
  const [x, y] = holders
    .flatMap(({ peerId }) => byId.get(peerId) ?? [])
    .reduce<readonly [number, number]>(([x, y], peer) => [x + peer.x / stretch, y + peer.y], [0, 0]);
  // Around a hub that stands alone in the middle there is room everywhere.
  return x === 0 && y === 0 ? Math.PI / 2 : Math.atan2(y, x);
}

interface Place {
  readonly angle: number;
  readonly radius: number;
}

const fullTurn = 2 * Math.PI;

/** As near to the wanted angles as none covers another. `apart`: so far from each other are the middles of two. */
function placesAround(
  wanted: readonly number[],
  { least, apart }: { readonly least: number; readonly apart: number },
): readonly Place[] {
  const count = wanted.length;
  // On a circle where all have room, two have the diameter between them.
  const radius = Math.max(least, count < 2 ? 0 : apart / (2 * Math.sin(Math.PI / count)));
  const step = 2 * Math.asin(Math.min(1, apart / (2 * radius)));
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0) || a - b);
  const angles = spread(
    order.map((i) => wanted[i] ?? 0),
    Math.min(step, fullTurn / count),
  );
  const places: Place[] = [];
  for (const [k, i] of order.entries()) places[i] = { angle: angles[k] ?? 0, radius };
  return places;
}

/** Ascending angles, at least a step apart, around the whole circle too. */
function spread(wanted: readonly number[], step: number): number[] {
  const start = wanted[0] ?? 0;
  const angles: number[] = [];
  for (const angle of wanted)
    angles.push(Math.max(angle, (angles.at(-1) ?? Number.NEGATIVE_INFINITY) + step));
  // The last keeps its distance from the first, which is a turn further on.
  let bound = start + fullTurn - step;
  for (let i = angles.length - 1; i >= 0 && (angles[i] ?? 0) > bound; i--) {
    angles[i] = bound;
    bound -= step;
  }
  return angles;
}
