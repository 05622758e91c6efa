// Whether a peer is reached through its overlay now, from what probes, streams and kernels say. Pure. Times are
// milliseconds since 1970.
//
// Hubs hear the probes of everybody, and everybody's probes are answered by hubs. One who is heard is reached, also when
// its agent has lost the platform. A word against many is not believed of a machine whose agent is silent: it would let
// one bad machine keep a dead one alive.
import { agentHandshakeAliveMs } from '../limits/agent.ts';
import { presenceContradictionMs } from '../limits/presence.ts';

/** What is known of a machine by its stream. unknown: not heard yet since the platform began, which is not long ago. */
export interface MachinePresence {
  readonly state: 'online' | 'offline' | 'unknown';
  /** Online: since when. Else: when it was last heard, or null: never. */
  readonly sinceMs: number | null;
}

export type HubPathState = 'answers' | 'silent' | 'forwards_nothing';

/** One hub's word on whether it hears the peer. Only of hubs whose agents are heard. */
export interface HubWord {
  readonly hubId: string;
  readonly heard: boolean;
  readonly sinceMs: number;
}

/** The peer's own word on its tunnel to one hub. */
export interface PathWord {
  readonly hubId: string;
  readonly state: HubPathState;
  readonly sinceMs: number;
}

/** What all others say of their tunnels to a hub. */
export interface Callers {
  readonly answers: number;
  readonly silent: number;
  readonly forwardsNothing: number;
  /** Since when the last of those that get no answer has had none. */
  readonly silentSinceMs: number | null;
  readonly forwardsNothingSinceMs: number | null;
}

export interface PeerFacts {
  readonly isHub: boolean;
  readonly machine: MachinePresence;
  readonly heardBy: readonly HubWord[];
  readonly paths: readonly PathWord[];
  readonly callers: Callers;
  /** Of a hub: whether it hears anybody itself; null: it said nothing. */
  readonly hearsAny: boolean | null;
  /** What is known of the hubs that its own paths lead to. */
  readonly hub: (hubId: string) => { readonly reachable: boolean | null; readonly isOnline: boolean };
  /** The newest handshake of anybody with it. */
  readonly handshakeMs: number | null;
  readonly nowMs: number;
}

/**
 * offline: heard neither by the platform nor by hubs. not_heard: its agent is connected, and its probes reach no hub.
 * udp_blocked: the same, while these hubs are reached by others. hubs_dead: the hubs that it has are not reached by
 * anybody. no_path: it and a hub do not hear each other, and nobody tells which of the two it is. forwards_nothing: a
 * hub that answers and passes nothing on. contradiction: the two ends of a tunnel say different things.
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
  /** Since when; null: it was never otherwise. */
  readonly sinceMs: number | null;
  /** The hubs that it is about. */
  readonly hubIds: readonly string[];
  /** How many others say so, where they are not named. */
  readonly count: number;
}

export interface PeerVerdict {
  readonly reachable: boolean | null;
  /** null when it is reached, or nothing is known. */
  readonly because: Cause | null;
  /** It rests on the age of a handshake, and on nothing that would tell when it ends. */
  readonly isPassing: boolean;
}

const unknown: PeerVerdict = { reachable: null, because: null, isPassing: true };
const reached: PeerVerdict = { reachable: true, because: null, isPassing: false };
const shookHands: PeerVerdict = { reachable: true, because: null, isPassing: true };

export function judgePeer(facts: PeerFacts): PeerVerdict {
  const { machine, heardBy } = facts;
  const yes = heardBy.filter((word) => word.heard).length + (facts.isHub ? facts.callers.answers : 0);
  const no = heardBy.filter((word) => !word.heard).length + (facts.isHub ? facts.callers.silent : 0);
  if (facts.isHub && facts.callers.forwardsNothing > facts.callers.answers) return forwardsNothing(facts);
  const isBelieved = machine.state === 'online' || yes >= no;
  if (yes > 0 && isBelieved) return reached;
  if (machine.state === 'offline') return away(facts);
  return facts.isHub ? judgeHub(facts, no) : judgeSpoke(facts);
}

function judgeHub(facts: PeerFacts, no: number): PeerVerdict {
  const { machine, heardBy, paths, callers, hearsAny } = facts;
  if (no === 0) {
    if (machine.state === 'online' && hearsAny === true) return reached;
    return byHandshake(facts);
  }
  const sinceMs = latest([callers.silentSinceMs, ...heardBy.map((word) => word.sinceMs)]);
  const others = othersReached(facts);
  if (machine.state === 'online' && others.length > 0) return not('udp_blocked', { sinceMs, hubIds: others });
  // One who cannot call it may be the one who cannot call.
  if (no === 1 && paths.length === 0) {
    return { reachable: null, because: { code: 'no_path', sinceMs, hubIds: [], count: 1 }, isPassing: false };
  }
  if (machine.state !== 'online') return away(facts);
  return not('not_heard', { sinceMs, hubIds: heardBy.map((word) => word.hubId), count: callers.silent });
}

function judgeSpoke(facts: PeerFacts): PeerVerdict {
  const { machine, heardBy, paths, hub } = facts;
  const answering = paths.filter((path) => path.state !== 'silent');
  const against = heardBy.filter((word) => !word.heard);
  if (machine.state === 'online' && answering.length > 0) {
    if (against.length === 0) return reached;
    const sinceMs = latest(against.map((word) => word.sinceMs));
    // One of the two has not noticed yet, or has no way to say so.
    if (sinceMs !== null && facts.nowMs - sinceMs < presenceContradictionMs) return unknown;
    const hubIds = against.map((word) => word.hubId);
    const because = { code: 'contradiction', sinceMs, hubIds, count: 0 } as const;
    return { reachable: null, because, isPassing: false };
  }
  if (machine.state === 'online' && paths.length > 0) {
    const sinceMs = latest([...paths, ...against].map((word) => word.sinceMs));
    const others = othersReached(facts);
    if (others.length > 0) return not('udp_blocked', { sinceMs, hubIds: others });
    const hubIds = paths.map((path) => path.hubId);
    const isGone = hubIds.every((id) => hub(id).reachable === false || !hub(id).isOnline);
    return not(isGone ? 'hubs_dead' : 'no_path', { sinceMs, hubIds });
  }
  if (against.length > 0) {
    // Its agent is not known to be there either.
    if (machine.state !== 'online') return away(facts);
    const sinceMs = latest(against.map((word) => word.sinceMs));
    return not('not_heard', { sinceMs, hubIds: against.map((word) => word.hubId) });
  }
  return byHandshake(facts);
}

/** Hubs that do not answer this machine, and are reached by others. */
function othersReached({ paths, hub }: PeerFacts): string[] {
  if (paths.some((path) => path.state !== 'silent')) return [];
  return paths.flatMap(({ hubId }) => (hub(hubId).reachable === true ? [hubId] : []));
}

/** Nothing probes it, or nothing has said so yet. */
function byHandshake({ machine, handshakeMs, nowMs }: PeerFacts): PeerVerdict {
  const isFresh = handshakeMs !== null && nowMs - handshakeMs <= agentHandshakeAliveMs;
  return machine.state === 'online' && isFresh ? shookHands : unknown;
}

function away({ machine, heardBy, callers }: PeerFacts): PeerVerdict {
  const sinceMs = latest([machine.sinceMs, callers.silentSinceMs, ...heardBy.map((word) => word.sinceMs)]);
  return not('offline', { sinceMs, hubIds: heardBy.map((word) => word.hubId), count: callers.silent });
}

function forwardsNothing({ callers }: PeerFacts): PeerVerdict {
  const { forwardsNothing: count, forwardsNothingSinceMs: sinceMs } = callers;
  return not('forwards_nothing', { sinceMs, hubIds: [], count });
}

function not(
  code: UnreachableCode,
  of: Omit<Cause, 'code' | 'count'> & { readonly count?: number },
): PeerVerdict {
  return { reachable: false, because: { code, count: 0, ...of }, isPassing: false };
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
