// Where everything of a network's topology stands. Hubs hold the middle, spokes surround the hub that they belong to;
// of very many machines the quiet majority is shown in groups. Places depend on who is there and not on how they are,
// so that the topology does not jump. No elements here.
import type { Topology } from '@powernode/core/intent/peer';
import { consoleTopologyNodesMax, consoleTopologyTunnelsMax } from '@powernode/core/limits/console';
import { type PeerState, peerStateOf } from '../../../parts/peer-state.ts';
import { homesOf, type Tunnel, type TunnelHealth, type TunnelKind, tunnelsOf } from '../tunnels.ts';
import { drawLans, type Lan, type LanLine, type LanSpot } from './lans.ts';

type Node = Topology['nodes'][number];

interface Placed {
  readonly id: string;
  /** Of its middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface MachineSpot extends Placed {
  readonly kind: 'hub' | 'spoke';
  readonly node: Node;
  readonly detail: Detail;
}
/** card: name and path; pill: the name; dot: neither, there are too many. */
export type Detail = 'card' | 'pill' | 'dot';
export interface GroupSpot extends Placed {
  readonly kind: 'group';
  readonly hubId: string;
  readonly role: 'hub' | 'spoke';
  readonly state: PeerState;
  readonly count: number;
}
type PeerSpot = MachineSpot | GroupSpot;
export type Spot = PeerSpot | LanSpot;

interface TunnelLine {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: TunnelKind;
  readonly health: TunnelHealth;
}

export type Line = TunnelLine | LanLine;

export interface Layout {
  readonly spots: readonly Spot[];
  readonly lines: readonly Line[];
  /** Tunnels that are there and not drawn. */
  readonly linesLeftOut: number;
  readonly lansLeftOut: number;
  readonly grouped: boolean;
}

const hubSize = { width: 172, height: 54 };
const spokeSizes = {
  card: { width: 148, height: 46 },
  pill: { width: 112, height: 28 },
  dot: { width: 22, height: 22 },
} as const satisfies Record<Detail, { width: number; height: number }>;
const groupSize = { width: 168, height: 54 };
/** From so many machines on, spokes show less of themselves. */
const pillsFrom = 18;
const dotsFrom = 60;

function detailFor(machines: number): Detail {
  if (machines >= dotsFrom) return 'dot';
  return machines >= pillsFrom ? 'pill' : 'card';
}
/** Of a grouped topology: hubs drawn, and machines in trouble that are still drawn one by one. */
const hubsDrawnMax = 40;
const troubledDrawnMax = 60;
/** Cards are wider than high, and so are most screens. */
const stretches = { wide: 1.75, tall: 0.9 } as const;
export type Format = keyof typeof stretches;

export interface LayoutOptions {
  readonly now: number;
  readonly format: Format;
  readonly lans?: readonly Lan[];
}

export function layoutTopology(
  topology: Pick<Topology, 'nodes' | 'links'>,
  { now, format, lans = [] }: LayoutOptions,
): Layout {
  const grouped = topology.nodes.length > consoleTopologyNodesMax;
  const hubs = topology.nodes.filter((node) => node.role === 'hub');
  const drawnHubs = grouped ? hubs.slice(0, hubsDrawnMax) : hubs;
  const detail = detailFor(topology.nodes.length);
  const homes = homesOf(topology);
  const spots = placeAll({ topology, drawnHubs, homes, detail, grouped, format });
  const drawn = new Set(spots.map((spot) => spot.id));
  const tunnels = tunnelsOf(topology, now).filter(
    (t) => drawn.has(t.a.peer_id) && drawn.has(t.b.peer_id) && isWorthALine(t, detail),
  );
  const behind = drawLans(lans, { peers: spots.flatMap(drawnPeer), stretch: stretches[format] });
  const kept = [...tunnels].sort((a, b) => urgency(a) - urgency(b)).slice(0, consoleTopologyTunnelsMax);
  return {
    spots: [...spots, ...behind.spots],
    lines: [
      ...kept.map(lineOf),
      ...spots.flatMap((spot) => (spot.kind === 'group' ? groupLine(spot, drawn) : [])),
      ...behind.lines,
    ],
    linesLeftOut: tunnels.length - kept.length,
    lansLeftOut: behind.leftOut,
    grouped,
  };
}

/** LANs keep off groups too, and stand at none. */
function drawnPeer(spot: PeerSpot) {
  const { id, x, y, width, height } = spot;
  const state = spot.kind === 'group' ? spot.state : peerStateOf(spot.node);
  return { id, x, y, width, height, state };
}

/** Among many, tunnels that only wait are a grey cloud. Two spokes that could meet and do not use their hub: that is
 * no trouble. */
function isWorthALine({ kind, health }: Tunnel, detail: Detail): boolean {
  if (kind === 'shortcut') return health === 'up';
  return !(detail === 'dot' && kind === 'standby');
}

const order: readonly TunnelKind[] = ['backbone', 'relay', 'direct', 'shortcut', 'standby'];

function urgency(tunnel: Tunnel): number {
  return order.indexOf(tunnel.kind);
}

function lineOf(tunnel: Tunnel): TunnelLine {
  const { id, kind, health } = tunnel;
  return { id, kind, health, from: tunnel.a.peer_id, to: tunnel.b.peer_id };
}

function groupLine(group: GroupSpot, drawn: ReadonlySet<string>): TunnelLine[] {
  if (!drawn.has(group.hubId)) return [];
  const health = groupHealth[group.state];
  const kind = group.role === 'hub' ? 'backbone' : 'relay';
  return [{ id: `line ${group.id}`, from: group.hubId, to: group.id, kind, health }];
}

const groupHealth: Readonly<Record<PeerState, TunnelHealth>> = {
  connected: 'up',
  silent: 'stale',
  unreachable: 'down',
  handshaking: 'none',
  handshake_pending: 'none',
};

interface Cast {
  readonly topology: Pick<Topology, 'nodes'>;
  readonly drawnHubs: readonly Node[];
  readonly homes: ReadonlyMap<string, string>;
  readonly detail: Detail;
  readonly grouped: boolean;
  readonly format: Format;
}

type Member = Omit<MachineSpot, 'x' | 'y'> | Omit<GroupSpot, 'x' | 'y'>;

function placeAll(cast: Cast): PeerSpot[] {
  const { drawnHubs, format } = cast;
  const around = membersByHub(cast);
  const centres = hubCentres(drawnHubs.length, { around: [...around.values()], format });
  const stretched = ({ x, y }: Point) => ({ x: Math.round(x * stretches[format]), y: Math.round(y) });
  const spots: PeerSpot[] = drawnHubs.map((node, i) => ({
    kind: 'hub',
    id: node.peer_id,
    node,
    detail: 'card',
    ...hubSize,
    ...stretched(centres[i] ?? origin),
  }));
  for (const [hubId, members] of around) {
    const i = drawnHubs.findIndex((hub) => hub.peer_id === hubId);
    const fan = fanOf(i, { hubs: Math.max(1, drawnHubs.length), format });
    const centre = centres[i] ?? origin;
    for (const [k, spot] of ringSpots(members, { centre, fan, empty: i < 0, format }).entries()) {
      const member = members[k];
      if (member !== undefined) spots.push({ ...member, ...stretched(spot) });
    }
  }
  return spots;
}

/** Whoever stands around each hub, in the order in which they came. Without a hub they stand around nothing. */
function membersByHub({ topology, drawnHubs, homes, detail, grouped }: Cast): Map<string, Member[]> {
  const drawn = new Set(drawnHubs.map((hub) => hub.peer_id));
  const first = drawnHubs[0]?.peer_id ?? '';
  const others = topology.nodes.filter((node) => !drawn.has(node.peer_id));
  const troubled = others.filter((node) => peerStateOf(node) !== 'connected').length;
  const oneByOne = (node: Node) =>
    !grouped || (peerStateOf(node) !== 'connected' && troubled <= troubledDrawnMax);
  const members = new Map<string, Member[]>();
  const groups = new Map<string, GroupSpot>();
  for (const node of others) {
    const home = homes.get(node.peer_id) ?? first;
    const hubId = drawn.has(home) ? home : first;
    if (oneByOne(node)) {
      add(members, hubId, { kind: 'spoke', id: node.peer_id, node, detail, ...spokeSizes[detail] });
      continue;
    }
    const state = peerStateOf(node);
    const id = `group ${hubId} ${node.role} ${state}`;
    const count = (groups.get(id)?.count ?? 0) + 1;
    groups.set(id, {
      kind: 'group',
      id,
      hubId,
      role: node.role,
      state,
      count,
      x: 0,
      y: 0,
      ...groupSize,
    });
  }
  for (const group of groups.values()) members.set(group.hubId, [group, ...(members.get(group.hubId) ?? [])]);
  return members;
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

interface Point {
  readonly x: number;
  readonly y: number;
}
/** The slice around a hub that its spokes have: where it looks to and how wide it is, in radians. */
interface Fan {
  readonly towards: number;
  readonly width: number;
}
const origin: Point = { x: 0, y: 0 };
const fullTurn = 2 * Math.PI;

/** One hub stands in the middle, two side by side, more on a circle. */
function hubCentres(
  hubs: number,
  { around, format }: { readonly around: readonly (readonly Member[])[]; readonly format: Format },
): Point[] {
  if (hubs <= 1) return [origin];
  const crowded = around.some((members) => members.length > 0);
  const circle = (hubs * (distanceFor(hubSize, format) + 16)) / fullTurn;
  const radius = hubs === 2 ? (format === 'wide' ? 105 : 60) : Math.max(crowded ? 140 : 115, circle);
  return Array.from({ length: hubs }, (_, i) => polar(fanOf(i, { hubs, format }).towards, radius));
}

function fanOf(index: number, { hubs, format }: { readonly hubs: number; readonly format: Format }): Fan {
  if (hubs === 1) return { towards: 0, width: fullTurn };
  if (hubs === 2) {
    const first = format === 'wide' ? Math.PI : -Math.PI / 2;
    return { towards: first + index * Math.PI, width: Math.PI * 0.9 };
  }
  return { towards: -Math.PI / 2 + (index * fullTurn) / hubs, width: (fullTurn / hubs) * 0.92 };
}

function polar(angle: number, radius: number): Point {
  return { x: Math.cos(angle) * radius, y: Math.sin(angle) * radius };
}

/** Rings around a centre, each of members of one size and as full as that allows. */
function ringSpots(
  members: readonly Member[],
  around: { readonly centre: Point; readonly fan: Fan; readonly empty: boolean; readonly format: Format },
): Point[] {
  const { centre, fan, format } = around;
  const spots: Point[] = [];
  let radius = 0;
  let before = around.empty ? 0 : distanceFor(hubSize, format);
  while (spots.length < members.length) {
    const rest = members.slice(spots.length);
    const size = rest[0] ?? hubSize;
    const alike = rest.findIndex((member) => member.width !== size.width);
    const apart = distanceFor(size, format) + 12;
    if (before > 0) radius += Math.max(apart, (before + apart) / 2);
    // Neighbours in a ring are as far apart as their chord.
    const slot = radius === 0 ? fullTurn : 2 * Math.asin(Math.min(1, apart / (2 * radius)));
    const room = Math.max(1, Math.floor(fan.width / slot));
    const inRing = Math.min(room, alike < 0 ? rest.length : alike);
    for (let k = 0; k < inRing; k++) {
      const point = polar(angleAt(k, inRing, fan), radius);
      spots.push({ x: centre.x + point.x, y: centre.y + point.y });
    }
    before = apart;
  }
  return spots;
}

/** Boxes of this size whose middles are so far apart, in whatever direction, do not meet once they are stretched. */
function distanceFor(size: { readonly width: number; readonly height: number }, format: Format): number {
  return Math.hypot(size.width / stretches[format], size.height);
}

function angleAt(k: number, n: number, fan: Fan): number {
  const whole = fan.width >= fullTurn;
  if (whole) return (k * fullTurn) / n + (n % 2 === 0 ? Math.PI / n : -Math.PI / 2);
  return fan.towards - fan.width / 2 + (fan.width * (k + 0.5)) / n;
}
