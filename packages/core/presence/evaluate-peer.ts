// Whether a peer is reachable through its overlay now, from the reports of probes, streams and kernels. Pure. Times are
// milliseconds since 1970.
//
// Hubs hear the probes of all peers, and hubs answer the probes of all peers. A peer that is heard is reachable, also
// when its agent has lost the platform. One report against many does not count for a machine whose agent is silent: a
// single faulty machine could otherwise keep a dead one up.
import { agentHandshakeAliveMs } from '../limits/agent.ts';
import { presenceContradictionMs } from '../limits/presence.ts';

/** What a machine's stream shows. unknown: not heard yet since the platform started, which is not long ago. */
export interface MachinePresence {
  readonly state: 'online' | 'offline' | 'unknown';
  /** Online: since when. Else: when it was last heard, or null: never. */
  readonly sinceMs: number | null;
}

export type HubPathState = 'answers' | 'silent' | 'forwards_nothing';

/** A hub's report on whether it hears the peer. Only of hubs whose agents are heard. */
export interface HubReport {
  readonly hubId: string;
  readonly heard: boolean;
  readonly sinceMs: number;
}

/** The peer's own report on its tunnel to a hub. */
export interface PathReport {
  readonly hubId: string;
  readonly state: HubPathState;
  readonly sinceMs: number;
}

/** How many other peers report which state of their tunnels to a hub. */
export interface TunnelReportCounts {
  readonly answers: number;
  readonly silent: number;
  readonly forwardsNothing: number;
  /** Since when the last of the unanswered peers has had no answer. */
  readonly silentSinceMs: number | null;
  readonly forwardsNothingSinceMs: number | null;
}

export interface PeerFacts {
  readonly isHub: boolean;
  readonly machine: MachinePresence;
  readonly heardBy: readonly HubReport[];
  readonly paths: readonly PathReport[];
  readonly reports: TunnelReportCounts;
  /** Of a hub: whether it hears any peer itself; null: it has not reported. */
  readonly hearsAny: boolean | null;
  /** What is known of the hubs of its own paths. */
  readonly hub: (hubId: string) => { readonly reachable: boolean | null; readonly isOnline: boolean };
  /** The newest handshake of any peer with it. */
  readonly handshakeMs: number | null;
  readonly nowMs: number;
}

/**
 * offline: heard neither by the platform nor by hubs. not_heard: its agent is connected, and its probes reach no hub.
 * udp_blocked: the same, while others reach these hubs. hubs_dead: no peer reaches its hubs. no_path: it and a hub do
 * not hear each other, and no other report shows which of the two fails. forwards_nothing: a hub that answers and does
 * not forward. contradiction: the two ends of a tunnel report different states.
 */
export const unreachableCodes = [
  'offline',
  'not_heard',
  'udp_blocked',
  'hubs_dead',
  'no_path',
  'forwards_nothing',
  'contradiction',
] as const;
export type UnreachableCode = (typeof unreachableCodes)[number];

export interface Cause {
  readonly code: UnreachableCode;
  /** Since when; null: always. */
  readonly sinceMs: number | null;
  /** The hubs concerned. */
  readonly hubIds: readonly string[];
  /** The number of other peers that report it, where they are not named. */
  readonly count: number;
}

export interface PeerVerdict {
  readonly reachable: boolean | null;
  /** null when it is reached, or nothing is known. */
  readonly because: Cause | null;
  /** It follows from the age of a handshake alone, so no report will show when it ends. */
  readonly isPassing: boolean;
}

const unknown: PeerVerdict = { reachable: null, because: null, isPassing: true };
const reached: PeerVerdict = { reachable: true, because: null, isPassing: false };
const byHandshakeOnly: PeerVerdict = { reachable: true, because: null, isPassing: true };

export function evaluatePeer(facts: PeerFacts): PeerVerdict {
  const { machine, heardBy } = facts;
  const yes = heardBy.filter((report) => report.heard).length + (facts.isHub ? facts.reports.answers : 0);
  const no = heardBy.filter((report) => !report.heard).length + (facts.isHub ? facts.reports.silent : 0);
  if (facts.isHub && facts.reports.forwardsNothing > facts.reports.answers) return forwardsNothing(facts);
  const isBelieved = machine.state === 'online' || yes >= no;
  if (yes > 0 && isBelieved) return reached;
  if (machine.state === 'offline') return offline(facts);
  return facts.isHub ? evaluateHub(facts, no) : evaluateSpoke(facts);
}

function evaluateHub(facts: PeerFacts, no: number): PeerVerdict {
  const { machine, heardBy, paths, reports, hearsAny } = facts;
  if (no === 0) {
    if (machine.state === 'online' && hearsAny === true) return reached;
    return byHandshake(facts);
  }
  const sinceMs = latest([reports.silentSinceMs, ...heardBy.map((report) => report.sinceMs)]);
  const others = othersReached(facts);
  if (machine.state === 'online' && others.length > 0)
    return unreachable('udp_blocked', { sinceMs, hubIds: others });
  // The one peer that cannot reach it may be the faulty one.
  if (no === 1 && paths.length === 0) {
    return { reachable: null, because: { code: 'no_path', sinceMs, hubIds: [], count: 1 }, isPassing: false };
  }
  if (machine.state !== 'online') return offline(facts);
  return unreachable('not_heard', {
    sinceMs,
    hubIds: heardBy.map((report) => report.hubId),
    count: reports.silent,
  });
}

function evaluateSpoke(facts: PeerFacts): PeerVerdict {
  const { machine, heardBy, paths, hub } = facts;
  const answering = paths.filter((path) => path.state !== 'silent');
  const against = heardBy.filter((report) => !report.heard);
  if (machine.state === 'online' && answering.length > 0) {
    if (against.length === 0) return reached;
    const sinceMs = latest(against.map((report) => report.sinceMs));
    // One of the two has not noticed yet, or cannot report it.
    if (sinceMs !== null && facts.nowMs - sinceMs < presenceContradictionMs) return unknown;
    const hubIds = against.map((report) => report.hubId);
    const because = { code: 'contradiction', sinceMs, hubIds, count: 0 } as const;
    return { reachable: null, because, isPassing: false };
  }
  if (machine.state === 'online' && paths.length > 0) {
    const sinceMs = latest([...paths, ...against].map((report) => report.sinceMs));
    const others = othersReached(facts);
    if (others.length > 0) return unreachable('udp_blocked', { sinceMs, hubIds: others });
    const hubIds = paths.map((path) => path.hubId);
    const isGone = hubIds.every((id) => hub(id).reachable === false || !hub(id).isOnline);
    return unreachable(isGone ? 'hubs_dead' : 'no_path', { sinceMs, hubIds });
  }
  if (against.length > 0) {
    // Its agent is not known to run either.
    if (machine.state !== 'online') return offline(facts);
    const sinceMs = latest(against.map((report) => report.sinceMs));
    return unreachable('not_heard', { sinceMs, hubIds: against.map((report) => report.hubId) });
  }
  return byHandshake(facts);
}

/** Hubs that do not answer this machine, and that others reach. */
function othersReached({ paths, hub }: PeerFacts): string[] {
  if (paths.some((path) => path.state !== 'silent')) return [];
  return paths.flatMap(({ hubId }) => (hub(hubId).reachable === true ? [hubId] : []));
}

/** No peer probes it, or none has reported yet. */
function byHandshake({ machine, handshakeMs, nowMs }: PeerFacts): PeerVerdict {
  const isFresh = handshakeMs !== null && nowMs - handshakeMs <= agentHandshakeAliveMs;
  return machine.state === 'online' && isFresh ? byHandshakeOnly : unknown;
}

function offline({ machine, heardBy, reports }: PeerFacts): PeerVerdict {
  const sinceMs = latest([
    machine.sinceMs,
    reports.silentSinceMs,
    ...heardBy.map((report) => report.sinceMs),
  ]);
  return unreachable('offline', {
    sinceMs,
    hubIds: heardBy.map((report) => report.hubId),
    count: reports.silent,
  });
}

function forwardsNothing({ reports }: PeerFacts): PeerVerdict {
  const { forwardsNothing: count, forwardsNothingSinceMs: sinceMs } = reports;
  return unreachable('forwards_nothing', { sinceMs, hubIds: [], count });
}

function unreachable(
  code: UnreachableCode,
  of: Omit<Cause, 'code' | 'count'> & { readonly count?: number },
): PeerVerdict {
  return { reachable: false, because: { code, count: 0, ...of }, isPassing: false };
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
