// Who meets whom where: which ports a cut between two nodes of a lab has to guard, and against which
// addresses. Pure; the text for nft is in stage/cut.ts.
import { ProductError } from '@powernode/core/errors';
import { type Attachment, type LabPlan, type NatPlan, segmentOf } from './plan.ts';
import { publicSegment } from './spec.ts';

/** Drop what passes this port and has these addresses: those of the far end, or those of the node at the port. */
export interface PortGuard {
  readonly port: string;
  readonly of: 'far' | 'near';
  readonly addresses: readonly string[];
}

/** Drop whatever goes between two ports of one segment: also what has none of their addresses, such as multicast. */
export interface PortPair {
  readonly one: string;
  readonly other: string;
}

export interface Barrier {
  readonly guards: readonly PortGuard[];
  readonly pairs: readonly PortPair[];
}

export type CutPlan =
  | ({ readonly kind: 'barrier' } & Barrier)
  /** The wire itself is pulled out. */
  | { readonly kind: 'links'; readonly ports: readonly string[] }
  /** Both run on this machine, so that no wire lies between them. */
  | { readonly kind: 'platforms' };

/** How a node appears on the segments it can be met on; `own` when the address is nobody else's. */
interface Sight {
  readonly segment: string;
  readonly addresses: readonly string[];
  readonly own: boolean;
}

interface Node {
  readonly name: string;
  readonly kind: 'platform' | 'other';
  readonly attachments: readonly Attachment[];
  readonly sights: readonly Sight[];
}

export function planCut(plan: LabPlan, names: { readonly a: string; readonly b: string }): CutPlan {
  const { a, b } = names;
  if (a === b) throw new ProductError('validation_failed', `"${a}" cannot be cut from itself`);
  const segments = new Set(plan.segments.map((segment) => segment.name));
  if (segments.has(a)) return cutFromSegment(plan, node(plan, b), a);
  if (segments.has(b)) return cutFromSegment(plan, node(plan, a), b);
  const [one, other] = [node(plan, a), node(plan, b)];
  if (one.kind === 'platform' && other.kind === 'platform') return { kind: 'platforms' };
  return { kind: 'barrier', guards: guardsBetween(one, other), pairs: pairsBetween(one, other) };
}

/**
 * What parts these hosts and platforms from all others. Pairs without a path are parted already. Two hosts behind one
 * NAT look alike from outside it, so who is parted from one of them may lose the other as well, as in a cut.
 */
export function planPartition(plan: LabPlan, names: readonly string[]): Barrier {
  const all = [...plan.hosts, ...plan.platforms].map((candidate) => candidate.name);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    const known = all.join(', ');
    throw new ProductError('not_found', `"${unknown}" is no host or platform of lab ${plan.name} (${known})`);
  }
  const inside = names.map((name) => node(plan, name));
  const outside = all.filter((name) => !names.includes(name)).map((name) => node(plan, name));
  const across = inside.flatMap((a) => outside.filter((b) => meet(a, b)).map((b) => [a, b] as const));
  return {
    guards: merged(across.flatMap(([a, b]) => guardsOfPair(a, b))),
    pairs: across.flatMap(([a, b]) => pairsBetween(a, b)),
  };
}

function guardsOfPair(a: Node, b: Node): PortGuard[] {
  if (a.kind === 'platform' && b.kind === 'platform') {
    throw new ProductError('conflict', 'platforms stay together in a partition; cut them one from another');
  }
  return guardsBetween(a, b);
}

function meet(a: Node, b: Node): boolean {
  return a.sights.some((one) => b.sights.some((other) => one.segment === other.segment));
}

/** One guard for each port and kind, with each address once. */
function merged(list: readonly PortGuard[]): PortGuard[] {
  const byPort = Map.groupBy(list, ({ port, of }) => `${port} ${of}`);
  return [...byPort.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    return [{ ...first, addresses: [...new Set(same.flatMap((guard) => guard.addresses))] }];
  });
}

/**
 * One of the two ends is enough. The end is taken from which the other is seen by an address of its own: seen
 * through a NAT, it shares one with its neighbours, and they would be cut off with it. When both are behind
 * NATs, that cannot be avoided, and `a` loses the NAT of `b`.
 */
function guardsBetween(a: Node, b: Node): PortGuard[] {
  if (a.kind === 'platform') return guards(b, seenFrom(b, a).addresses);
  const bSeen = seenFrom(a, b);
  if (bSeen.own) return guards(a, bSeen.addresses);
  const aSeen = seenFrom(b, a);
  return aSeen.own ? guards(b, aSeen.addresses) : guards(a, bSeen.addresses);
}

function pairsBetween(a: Node, b: Node): PortPair[] {
  return a.attachments.flatMap((one) =>
    b.attachments
      .filter((other) => other.segment === one.segment)
      .map((other) => ({ one: one.port, other: other.port })),
  );
}

function guards(at: Node, addresses: readonly string[]): PortGuard[] {
  return at.attachments.map(({ port }) => ({ port, of: 'far', addresses }));
}

/** By which addresses `from` meets `to`: on the segments that both can be met on. */
function seenFrom(from: Node, to: Node): { addresses: string[]; own: boolean } {
  const reached = new Set(from.sights.map((sight) => sight.segment));
  const common = to.sights.filter((sight) => reached.has(sight.segment));
  const own = common.filter((sight) => sight.own);
  const used = own.length > 0 ? own : common;
  if (used.length === 0) {
    throw new ProductError('conflict', `there is no path between "${from.name}" and "${to.name}" to cut`);
  }
  return { addresses: used.flatMap((sight) => sight.addresses), own: own.length > 0 };
}

function cutFromSegment(plan: LabPlan, at: Node, segment: string): CutPlan {
  const direct = at.attachments.filter((attachment) => attachment.segment === segment);
  if (at.kind === 'platform') {
    // All platforms share this machine's port, so the address is guarded instead of the link.
    const addresses = at.sights.flatMap((sight) => sight.addresses);
    return { kind: 'barrier', guards: [{ port: plan.platformPort, of: 'near', addresses }], pairs: [] };
  }
  const ports = (direct.length > 0 ? direct : uplinks(at, segment)).map((attachment) => attachment.port);
  if (ports.length === 0) {
    throw new ProductError('conflict', `"${at.name}" has no path to "${segment}" to cut`);
  }
  return { kind: 'links', ports };
}

/** Behind a NAT, the uplink is the whole wire of the node. */
function uplinks(at: Node, segment: string): readonly Attachment[] {
  return at.sights.some((sight) => sight.segment === segment) ? at.attachments : [];
}

function node(plan: LabPlan, name: string): Node {
  const platform = plan.platforms.find((candidate) => candidate.name === name);
  if (platform !== undefined) {
    const addresses = [platform.address4, platform.address6];
    const sights = [{ segment: publicSegment, addresses, own: true }];
    return { name, kind: 'platform', attachments: [], sights };
  }
  const attachments = attachmentsOf(plan, name);
  return { name, kind: 'other', attachments, sights: sightsOf(plan, attachments) };
}

/** The ports of a host; of a NAT only the outer one, because its inner one belongs to its LAN. */
function attachmentsOf(plan: LabPlan, name: string): readonly Attachment[] {
  const host = plan.hosts.find((candidate) => candidate.name === name);
  if (host !== undefined) return host.attachments;
  const nat = plan.nats.find((candidate) => candidate.name === name);
  if (nat !== undefined) return [nat.wan];
  const known = [...plan.platforms, ...plan.nats, ...plan.hosts].map((candidate) => candidate.name);
  const segments = plan.segments.map((segment) => segment.name);
  throw new ProductError(
    'not_found',
    `lab ${plan.name} has no node "${name}" (it has: ${[...known, ...segments].join(', ')})`,
  );
}

function sightsOf(plan: LabPlan, attachments: readonly Attachment[]): Sight[] {
  const sights: Sight[] = attachments.map((attachment) => sight(attachment, true));
  for (const attachment of attachments) {
    for (let nat = natOf(plan, attachment.segment); nat !== null; nat = natOf(plan, nat.wan.segment)) {
      sights.push(sight(nat.wan, false));
    }
  }
  return sights;
}

function sight(attachment: Attachment, own: boolean): Sight {
  const { segment, address4, address6 } = attachment;
  return { segment, addresses: [address4, address6].filter((address) => address !== null), own };
}

function natOf(plan: LabPlan, segment: string): NatPlan | null {
  const { name } = segmentOf(plan, segment);
  return plan.nats.find((nat) => nat.lan.segment === name) ?? null;
}
