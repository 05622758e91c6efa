// Who could hold a virtual IP now, how well, and why. Pure.
import { failoverHoldersMax } from '../limits.ts';
import type { State } from './state.ts';

export interface Candidate {
  readonly peerId: string;
  /** 0: cannot hold it now; higher is better. */
  readonly score: number;
  readonly reasons: readonly string[];
}

/** whole: nothing speaks against it. partly: some hub does not hear it, or it is behind. last: it is being drained. */
export type Fitness = 'whole' | 'partly' | 'last' | 'none';

/** Fitness counts first, then the order that the operator gave. */
const tiers: Readonly<Record<Fitness, number>> = { whole: 60, partly: 30, last: 10, none: 0 };

type Known = Pick<State, 'row' | 'peers' | 'terms' | 'words'>;

export function fitnessOf(state: Known, peerId: string): Fitness {
  const facts = state.peers.get(peerId);
  const terms = state.terms.get(peerId);
  if (facts === undefined || facts.presence !== 'here' || !facts.connected || terms === undefined)
    return 'none';
  const hubs = terms?.witnesses.length ?? 0;
  const heard = heardBy(state, peerId).length;
  // The platform, which its stream leads to, is one more that hears it.
  if (terms !== null && heard + 1 < terms.enough) return 'none';
  if (facts.draining) return 'last';
  return facts.inSync && heard === hubs ? 'whole' : 'partly';
}

export function candidatesOf(state: Known): Candidate[] {
  return state.row.candidates.map((peerId, place) => {
    const fitness = fitnessOf(state, peerId);
    const score = fitness === 'none' ? 0 : tiers[fitness] + failoverHoldersMax + 1 - place;
    return { peerId, score, reasons: reasonsOf(state, { peerId, place }) };
  });
}

/** The best of those that can hold it, without those named. */
export function bestOf(state: Known, except: readonly (string | null)[] = []): string | null {
  let best: Candidate | null = null;
  for (const one of candidatesOf(state)) {
    if (one.score === 0 || except.includes(one.peerId)) continue;
    if (best === null || one.score > best.score) best = one;
  }
  return best?.peerId ?? null;
}

/** Hubs among its witnesses that hear the peer. */
export function heardBy(state: Known, peerId: string): string[] {
  const words = state.words.get(peerId);
  return (state.terms.get(peerId)?.witnesses ?? []).filter((hub) => words?.get(hub)?.alive === true);
}

function reasonsOf(state: Known, of: { readonly peerId: string; readonly place: number }): string[] {
  const { peerId, place } = of;
  const facts = state.peers.get(peerId);
  const terms = state.terms.get(peerId);
  const reasons = [place === 0 ? 'primary holder' : `fail-over holder ${place}`];
  if (state.row.holder === peerId) reasons.push('holds it now');
  if (facts === undefined || facts.presence !== 'here') return [...reasons, 'is no longer in the network'];
  reasons.push(facts.connected ? 'its agent is connected' : 'its agent is not connected');
  if (terms !== undefined && terms !== null) {
    const heard = heardBy(state, peerId).length;
    const short = heard + 1 < terms.enough ? `, and has to be by ${terms.enough - 1}` : '';
    reasons.push(`heard by ${heard} of ${counted(terms.witnesses.length, 'hub')}${short}`);
  }
  if (!facts.inSync) reasons.push('has not applied the newest revision');
  if (facts.draining) reasons.push('is being drained');
  return reasons;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
