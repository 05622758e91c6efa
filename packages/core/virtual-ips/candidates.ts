// Fitness and ranking of the candidates of a virtual IP, with reasons. Pure.
import type { PeerId } from '../ids.ts';
import { failedCheckMs } from '../limits/failover.ts';
import { failoverHoldersMax } from '../limits/overlay.ts';
import type { FailedCheck, State } from './state.ts';

export interface Candidate {
  readonly peerId: PeerId;
  /** 0: cannot hold it now; higher is better. */
  readonly score: number;
  readonly reasons: readonly string[];
}

/**
 * healthy: every hub reaches it and it is in sync. degraded: some hub does not reach it, or it is behind. draining: its
 * instance is being drained. unavailable: it cannot hold the address.
 */
export type Fitness = 'healthy' | 'degraded' | 'draining' | 'unavailable';

/** What the health check said counts first, then fitness, then the order that the operator gave. */
const tiers: Readonly<Record<Fitness, number>> = { healthy: 40, degraded: 20, draining: 0, unavailable: 0 };
const notFailing = 60;

type CandidateState = Pick<State, 'row' | 'peers' | 'terms' | 'reports' | 'check'>;

export function fitnessOf(state: CandidateState, peerId: PeerId): Fitness {
  const facts = state.peers.get(peerId);
  const terms = state.terms.get(peerId);
  if (facts === undefined || facts.presence !== 'attached' || !facts.connected || terms === undefined)
    return 'unavailable';
  const hubs = terms?.witnesses.length ?? 0;
  const heard = hubsReaching(state, peerId).length;
  // The platform is one more witness: the candidate has a stream to it.
  if (terms !== null && heard + 1 < terms.quorum) return 'unavailable';
  if (facts.draining) return 'draining';
  return facts.inSync && heard === hubs ? 'healthy' : 'degraded';
}

export function candidatesOf(state: CandidateState, now: number): Candidate[] {
  return state.row.candidates.map((peerId, position) => {
    const fitness = fitnessOf(state, peerId);
    const rank = (doesCheckFail(state, peerId, now) ? 0 : notFailing) + tiers[fitness];
    const score = fitness === 'unavailable' ? 0 : rank + failoverHoldersMax + 1 - position;
    return { peerId, score, reasons: reasonsOf(state, { peerId, position }) };
  });
}

/** The candidate with the highest score above 0, `except` left out. */
export function bestCandidate(
  state: CandidateState,
  now: number,
  except: readonly (PeerId | null)[] = [],
): PeerId | null {
  let best: Candidate | null = null;
  for (const one of candidatesOf(state, now)) {
    if (one.score === 0 || except.includes(one.peerId)) continue;
    if (best === null || one.score > best.score) best = one;
  }
  return best?.peerId ?? null;
}

/** Whether the last known health check of a peer failed: now, while it holds the address, or when it last held it. */
export function doesCheckFail({ row, check }: CandidateState, peerId: PeerId, now: number): boolean {
  if (!row.checked) return false;
  if (row.holder === peerId && check?.health === 'failing') return true;
  return row.failedChecks.some((one) => one.peerId === peerId && now < forgottenMs(one));
}

/** When a failure of a health check ceases to say anything of the peer. */
export function forgottenMs({ atMs }: FailedCheck): number {
  return atMs + failedCheckMs;
}

/** Candidates whose health check failed since one last succeeded: what serves at the address is no better there. */
export function failedSinceHealthy({ row }: Pick<State, 'row'>): PeerId[] {
  return row.failedChecks.flatMap(({ peerId, recovered }) => (recovered ? [] : peerId));
}

/** Hubs among the peer's witnesses that reach it. */
export function hubsReaching(state: CandidateState, peerId: PeerId): PeerId[] {
  const reports = state.reports.get(peerId);
  return (state.terms.get(peerId)?.witnesses ?? []).filter((hub) => reports?.get(hub)?.reachable === true);
}

function reasonsOf(
  state: CandidateState,
  of: { readonly peerId: PeerId; readonly position: number },
): string[] {
  const { peerId, position } = of;
  const facts = state.peers.get(peerId);
  const terms = state.terms.get(peerId);
  const reasons = [position === 0 ? 'primary holder' : `fail-over holder ${position}`];
  if (state.row.holder === peerId) reasons.push('holds it now');
  if (state.row.holder === peerId && state.row.checked && state.check?.health === 'failing')
    reasons.push('its health check fails');
  else if (state.row.failedChecks.some((one) => one.peerId === peerId))
    reasons.push('its health check failed when it last held it');
  if (facts === undefined || facts.presence !== 'attached')
    return [...reasons, 'is no longer in the network'];
  reasons.push(facts.connected ? 'its agent is connected' : 'its agent is not connected');
  if (terms !== undefined && terms !== null) {
    const heard = hubsReaching(state, peerId).length;
    const short = heard + 1 < terms.quorum ? `, and has to be by ${terms.quorum - 1}` : '';
    reasons.push(`heard by ${heard} of ${counted(terms.witnesses.length, 'hub')}${short}`);
  }
  if (!facts.inSync) reasons.push('has not applied the newest revision');
  if (facts.draining) reasons.push('is being drained');
  return reasons;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
