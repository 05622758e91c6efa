// The transition function of a virtual IP: step(state, event, now) → state + effects. Pure. This file applies events to
// the state; decide.ts decides from the state; release-proof.ts explains the order that prevents two holders.
import type { PeerId } from '../ids.ts';
import { virtualIpRetryMs } from '../limits/failover.ts';
import { decide } from './decide.ts';
import type { Effect, Event, HubReport, Row, State, Step } from './state.ts';
import { sameTerms } from './terms.ts';

export function step(state: State, event: Event, now: number): Step {
  const acknowledgement =
    event.kind === 'renew' && isAcknowledged(state, event) ? acknowledgementOf(event) : [];
  const next = applyEvent(state, event, { now, isAcknowledged: acknowledgement.length > 0 });
  // Holders renew eight times a second, which changes nothing while the holder is healthy.
  if (event.kind === 'renew' && isSteady(next)) return { state: next, effects: acknowledgement };
  const settled = decide(next, now);
  return { state: settled.state, effects: [...acknowledgement, ...settled.effects] };
}

function applyEvent(
  state: State,
  event: Event,
  at: { readonly now: number; readonly isAcknowledged: boolean },
): State {
  switch (event.kind) {
    case 'row':
      return applyRow(state, event.row);
    case 'leadership':
      // The previous leader may have acknowledged a renewal up to this moment. Health was not evaluated here meanwhile.
      return event.leading
        ? {
            ...withoutProof(state),
            leadingSinceMs: at.now,
            lastRenewedMs: at.now,
            health: null,
            healthySinceMs: new Map(),
          }
        : { ...withoutProof(state), leadingSinceMs: null };
    case 'mode':
      return { ...state, mode: event.mode };
    case 'peers':
      return { ...state, peers: event.peers };
    case 'terms':
      return applyTerms(state, event);
    case 'report':
      return applyReport(state, event);
    case 'check':
      return event.peerId === leaseholderOf(state.row) ? { ...state, check: event.check } : state;
    case 'renew':
      return at.isAcknowledged ? { ...state, lastRenewedMs: at.now } : state;
    case 'confirmed':
      return applyConfirmation(state, event);
    case 'approval':
      return { ...state, approval: event.approval };
    case 'written':
      return {
        ...state,
        writing: null,
        retryAtMs: event.done ? 0 : at.now + virtualIpRetryMs,
      };
    case 'tick':
      return state;
  }
}

function isAcknowledged(state: State, renewal: Extract<Event, { kind: 'renew' }>): boolean {
  const { row, writing } = state;
  return (
    state.leadingSinceMs !== null &&
    row.holder === renewal.peerId &&
    row.epoch === renewal.epoch &&
    !state.fenced &&
    writing !== 'revoke' &&
    writing !== 'grant'
  );
}

function acknowledgementOf({ peerId, epoch }: Extract<Event, { kind: 'renew' }>): readonly Effect[] {
  return [{ kind: 'acknowledge', peerId, epoch }];
}

function isSteady(state: State): boolean {
  return state.health?.verdict === 'healthy' && state.row.phase === 'active' && state.row.move === null;
}

/** The peer whose lease counts: the holder, or the peer that has to release the address. */
export function leaseholderOf(row: Pick<Row, 'holder' | 'releasing'>): PeerId | null {
  return row.holder ?? row.releasing?.peerId ?? null;
}

function applyRow(state: State, row: Row): State {
  if (row.epoch === state.row.epoch) return { ...state, row };
  const hasHolder = row.holder !== null;
  const isSame = leaseholderOf(row) === leaseholderOf(state.row);
  return {
    ...withoutProof(state),
    row,
    // Only the leader grants and acknowledges, so it has acknowledged nothing of a new holder yet. The lease of a peer
    // that has to release the address still counts from its last renewal.
    lastRenewedMs: hasHolder ? null : state.lastRenewedMs,
    oldTerms: isSame ? state.oldTerms : ['unknown'],
    // A report of the time when another peer, or this one before that, held it says nothing now.
    check: isSame ? state.check : null,
    health: null,
    healthySinceMs: new Map(),
  };
}

function withoutProof(state: State): State {
  return { ...state, fenced: false, proof: null, isReleaseProven: false };
}

/** A proof covers the terms that were outstanding then: more terms void it. */
function applyTerms(state: State, { terms, oldTerms, names }: Extract<Event, { kind: 'terms' }>): State {
  const isMore = oldTerms.some((one) => !state.oldTerms.some((known) => sameTerms(one, known)));
  return { ...(isMore ? withoutProof(state) : state), terms, oldTerms, names };
}

function applyReport(state: State, { hub, peerId, report }: Extract<Event, { kind: 'report' }>): State {
  const reports = new Map(state.reports);
  const ofPeer = new Map<PeerId, HubReport>(reports.get(peerId));
  if (report === null) ofPeer.delete(hub);
  else ofPeer.set(hub, report);
  reports.set(peerId, ofPeer);
  if (state.proof === null || (report !== null && !report.reachable) || leaseholderOf(state.row) !== peerId) {
    return { ...state, reports };
  }
  const confirmed = state.proof.confirmed.filter((one) => one !== hub);
  return { ...state, reports, proof: { ...state.proof, confirmed } };
}

function applyConfirmation(state: State, { hub, number }: Extract<Event, { kind: 'confirmed' }>): State {
  const { proof } = state;
  const peerId = leaseholderOf(state.row);
  if (proof === null || proof.number !== number || peerId === null) return state;
  const report = state.reports.get(peerId)?.get(hub);
  // A report that began after the moment of the proof does not cover that moment.
  if (report === undefined || report.reachable || report.sinceMs > proof.atMs) return state;
  if (proof.confirmed.includes(hub)) return state;
  return { ...state, proof: { ...proof, confirmed: [...proof.confirmed, hub] } };
}
