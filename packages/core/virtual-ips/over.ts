// Whether it is certain that whoever had an address does not answer for it any more, and cannot begin to: by its own
// word, or by that of the witnesses of its lease. Pure. This is what keeps two nodes from answering at once.
//
// A lease rests on `enough` of the hubs and the platform having heard the node within `addressLeaseMs`, and one that
// has lapsed begins anew only by an answer of the platform. So it is over when at one moment the platform has not
// answered for that long, and so many hubs have not that the others are not enough. That moment is `proof.atMs`: the
// hubs had said so before it, and are asked after it whether they still say so. Words alone would not do: the news that
// a hub hears the node again may be on a line that is broken and not known to be. From that moment on the platform does
// not answer this epoch, so nothing that happens later can bring the lease back.
import { addressLeaseMarginMs, addressLeaseMs, holderProofMs, terminatedHolderMs } from '../limits.ts';
import { hasListened } from './health.ts';
import type { Effect, State } from './state.ts';
import { type LeaseTerms, witnessesNeeded } from './terms.ts';

export interface Over {
  readonly state: State;
  readonly effects: readonly Effect[];
  /** When to look again; null: only something that happens can change it. */
  readonly wakeMs: number | null;
  /** Whether it can only be over by its own word. */
  readonly byItsWordOnly: boolean;
}

/** Goes as far as it can towards knowing that `peerId` has lost the address; `state.over` says whether it is known. */
export function proceed(state: State, peerId: string, now: number): Over {
  const nothing: Omit<Over, 'state'> = { effects: [], wakeMs: null, byItsWordOnly: false };
  const isOver: Over = { state: { ...state, over: true, proof: null }, ...nothing };
  if (state.over || hasGivenUp(state, peerId)) return isOver;
  const dismissed = dismissedMs(state, peerId);
  if (dismissed !== null && now >= dismissed) return isOver;
  const leases = leasesOf(state);
  if (leases === null) return { state, ...nothing, wakeMs: dismissed, byItsWordOnly: true };
  // A lease that the platform never confirmed has never begun.
  if (state.heldMs === null) return isOver;
  const { proof } = state;
  if (proof !== null) {
    if (areSettled(leases, proof.confirmed)) return isOver;
    if (now < proof.atMs + holderProofMs) return { state, ...nothing, wakeMs: proof.atMs + holderProofMs };
  }
  return begin({ ...state, proof: null }, { peerId, leases, dismissed, now });
}

function begin(
  state: State,
  of: {
    readonly peerId: string;
    readonly leases: readonly LeaseTerms[];
    readonly dismissed: number | null;
    readonly now: number;
  },
): Over {
  const { peerId, leases, now } = of;
  const hubs = ripeHubs(state, peerId, now);
  const silentFrom = (state.heldMs ?? 0) + addressLeaseMs + addressLeaseMarginMs;
  if (now >= silentFrom && areSettled(leases, hubs)) {
    const number = state.proofs + 1;
    const proof = { number, atMs: now, confirmed: [] };
    return {
      state: { ...state, proof, proofs: number, frozen: true },
      effects: [{ kind: 'prove', number, peerId, hubs }],
      wakeMs: now + holderProofMs,
      byItsWordOnly: false,
    };
  }
  const ripening = [...(state.words.get(peerId)?.values() ?? [])].flatMap((word) =>
    word.alive
      ? []
      : [word.sinceMs + addressLeaseMarginMs, word.openedMs + addressLeaseMs + addressLeaseMarginMs],
  );
  const later = [silentFrom, ...ripening, ...(of.dismissed === null ? [] : [of.dismissed])];
  const next = Math.min(...later.filter((at) => at > now));
  return { state, effects: [], wakeMs: Number.isFinite(next) ? next : null, byItsWordOnly: false };
}

/** It acknowledged a document without the address, or one with an older holder's: it was read back. */
function hasGivenUp(state: State, peerId: string): boolean {
  const { releasing } = state.row;
  if (releasing === null || releasing.peerId !== peerId) return false;
  return (state.peers.get(peerId)?.applied ?? -1) >= releasing.sequence;
}

/** An operator has said that its machine is no more: believed after a while, when nothing contradicts. */
function dismissedMs(state: State, peerId: string): number | null {
  const { releasing } = state.row;
  const facts = state.peers.get(peerId);
  if (releasing?.peerId !== peerId || facts?.presence !== 'terminated' || facts.connected) return null;
  return releasing.sinceMs + terminatedHolderMs;
}

/** null: it may be acting on something that no witness can say anything about. */
function leasesOf(state: State): readonly LeaseTerms[] | null {
  const leases = state.oldTerms.filter((terms) => terms !== null && terms !== 'unknown');
  return leases.length === state.oldTerms.length && leases.length > 0 ? leases : null;
}

/** Hubs whose word is old enough that no clock and no kernel can be behind it. */
function ripeHubs(state: State, peerId: string, now: number): string[] {
  return [...(state.words.get(peerId) ?? [])].flatMap(([hub, word]) =>
    !word.alive && now >= word.sinceMs + addressLeaseMarginMs && hasListened(word, now) ? [hub] : [],
  );
}

function areSettled(leases: readonly LeaseTerms[], hubs: readonly string[]): boolean {
  return leases.every(
    (terms) => terms.witnesses.filter((hub) => hubs.includes(hub)).length >= witnessesNeeded(terms),
  );
}
