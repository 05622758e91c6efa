// The decision about a virtual IP from its state at one moment. Pure. Only the leader decides. One write is in progress
// at a time, and nothing is decided until it is done.
import type { PeerId } from '../ids.ts';
import { holderWellMs } from '../limits/failover.ts';
import { bestCandidate, doesCheckFail, failedSinceHealthy, fitnessOf, forgottenMs } from './candidates.ts';
import { type Health, healthOf } from './health.ts';
import { messages } from './messages.ts';
import { proveRelease } from './release-proof.ts';
import type { Effect, Phase, Reason, Row, State, Step, WriteKind } from './state.ts';

/** Unknown health is shown after this long: a platform that starts has all reports sooner. */
const unknownShownMs = 5_000;
/** A move that takes less than this is not shown as an error in between. */
const quickMoveMs = 1_000;

export function decide(before: State, now: number): Step {
  if (before.leadingSinceMs === null || before.writing !== null || before.row.anycast) return stepOf(before);
  if (now < before.retryAtMs) return stepOf(before, wake(before.retryAtMs));
  const { holder } = before.row;
  if (holder === null) return assign(before, now);
  const health = healthOf(before, holder, now);
  const state = withObservedHealth(before, { holder, health, now });
  const { row } = state;
  const facts = state.peers.get(holder);
  if (row.move?.grantSequence != null && (facts?.applied ?? -1) >= row.move.grantSequence) {
    return write(clearFailover(state), { kind: 'complete' });
  }
  if (!row.candidates.includes(holder)) {
    const gone = facts?.presence !== 'attached';
    return revoke(clearFailover(state), {
      reason: gone ? 'holder_gone' : 'holder_changed',
      detail: messages.noCandidate(state, holder),
      now,
    });
  }
  if (health.verdict === 'down' || now >= lossCertainMs(state))
    return failOver(state, { holder, health, now });
  if (health.verdict === 'failing') {
    const step = failOver(state, { holder, health, now });
    if (health.changesMs === null) return step;
    return { state: step.state, effects: [...step.effects, wake(health.changesMs)] };
  }
  if (state.check?.health === 'healthy' && isFailureKept(row, holder))
    return write(state, { kind: 'note_healthy', peerId: holder });
  const step =
    health.verdict === 'unknown'
      ? waitForReports(clearFailover(state), { holder, health, now })
      : keepHolder(clearFailover(state), { holder, health, now });
  // A holder that every witness reaches is evaluated again at the next event only.
  const isWellEverywhere =
    health.verdict === 'healthy' && health.noReportFrom.length + health.unreachableFrom.length === 0;
  if (isWellEverywhere || health.changesMs === null) return step;
  return { state: step.state, effects: [...step.effects, wake(health.changesMs)] };
}

/** A failure of the holder itself, or one that is an obstacle to another move. */
function isFailureKept(row: Row, holder: PeerId): boolean {
  return row.checked && row.failedChecks.some(({ peerId, recovered }) => peerId === holder || !recovered);
}

/** When it counts as lost: a hub without a report may be about to report that it reaches the holder. */
function lossCertainMs({ health }: State): number {
  return health?.lostSinceMs == null ? Number.POSITIVE_INFINITY : health.lostSinceMs + quickMoveMs;
}

interface HolderCheck {
  readonly holder: PeerId;
  readonly health: Health;
  readonly now: number;
}

/** The address has no holder: it is granted to the best candidate once the release by the last one is proven. */
function assign(state: State, now: number): Step {
  const { releasing } = state.row;
  if (releasing === null) return grant({ ...state, isReleaseProven: true }, now);
  const proof = proveRelease(state, releasing.peerId, now);
  if (proof.state.isReleaseProven) return grant(proof.state, now);
  const detail = messages.waitsForRelease(proof.state, releasing.peerId, proof.onlyByAcknowledgement);
  const showAtMs = Math.max(releasing.sinceMs, state.leadingSinceMs ?? 0) + quickMoveMs;
  const shown =
    now < showAtMs ? stepOf(proof.state, wake(showAtMs)) : setPhase(proof.state, 'failing_over', detail);
  const wakes = proof.wakeMs === null ? [] : [wake(proof.wakeMs)];
  return { state: shown.state, effects: [...proof.effects, ...shown.effects, ...wakes] };
}

function grant(state: State, now: number): Step {
  const { releasing, successor, move } = state.row;
  const isAvailable = successor !== null && fitnessOf(state, successor) !== 'unavailable';
  // The peer that it was revoked from gets it back only when no other candidate can hold it.
  const to = isAvailable
    ? successor
    : (bestCandidate(state, now, [move?.fromPeerId ?? null, ...failedSinceHealthy(state)]) ??
      bestCandidate(state, now, [move?.fromPeerId ?? null]) ??
      bestCandidate(state, now));
  if (to !== null) {
    const reason = move?.reason ?? 'holder_gone';
    return write(state, { kind: 'grant', to, reason, detail: move?.detail ?? messages.noPreviousHolder() });
  }
  const detail = messages.noneAvailable(state, now);
  return releasing === null
    ? setPhase(state, 'unassigned', detail)
    : write(state, { kind: 'unassign', detail });
}

/**
 * The holder is down by all reports, or its health check fails. For a failing check each candidate gets the address at
 * most once until the check of one of them succeeds: only a holder can ask the service, so nothing is known of the next.
 */
function failOver(state: State, check: HolderCheck): Step {
  const { holder, health, now } = check;
  // One that is lost to its hubs is lost, whatever its check said last.
  const isFailing = health.verdict === 'failing' && now < lossCertainMs(state);
  const reason = isFailing ? 'check_failed' : 'holder_dead';
  const untried = bestCandidate(state, now, [holder, ...failedSinceHealthy(state)]);
  const target = isFailing ? untried : (untried ?? bestCandidate(state, now, [holder]));
  const lost = isFailing ? messages.checkFails(state, holder) : messages.notReachable(state, holder, health);
  const sinceMs = health.verdict === 'down' ? state.health?.sinceMs : state.health?.lostSinceMs;
  const showAtMs = (sinceMs ?? now) + quickMoveMs;
  const refuse = (why: string, wakes: readonly Effect[] = []): Step => {
    const shown = setPhase(clearFailover(state), 'error', `${lost} ${why}`);
    return { state: shown.state, effects: [...shown.effects, ...wakes] };
  };
  if (state.row.candidates.length < 2) return refuse(messages.onlyCandidate());
  if (target === null) return refuse(messages.noOtherAvailable(state, holder, now));
  if (state.mode === 'blocked') return refuse(messages.blocked());
  const holdDownEndsMs = (state.row.lastMovedMs ?? Number.NEGATIVE_INFINITY) + state.row.holdDownMs;
  if (now < holdDownEndsMs) return refuse(messages.holdDown(state), [wake(holdDownEndsMs)]);
  const detail = messages.moves(state, target, lost);
  if (state.mode === 'require_approval') {
    return requestApproval(clearFailover(state), { target, reason, detail, lost });
  }
  // A connected holder acknowledges the release sooner than the expiry of its lease can be proven.
  if (isFailing || (state.peers.get(holder)?.connected === true && !health.renewalLapsed)) {
    return write(clearFailover(state), { kind: 'revoke', successor: target, reason, detail });
  }
  const proof = proveRelease(state, holder, now);
  if (proof.state.isReleaseProven) {
    return write(proof.state, { kind: 'grant', to: target, reason, detail });
  }
  const wakes = proof.wakeMs === null ? [] : [wake(proof.wakeMs)];
  if (now < showAtMs) return stepOf(proof.state, ...proof.effects, ...wakes, wake(showAtMs));
  const shown = setPhase(proof.state, 'error', `${lost} ${messages.releaseNotProven(proof.state, holder)}`);
  return { state: shown.state, effects: [...proof.effects, ...wakes, ...shown.effects] };
}

/** Missing evidence moves nothing. */
function waitForReports(state: State, { holder, health, now }: HolderCheck): Step {
  if (health.lost) return stepOf(state, wake(lossCertainMs(state)));
  const showAtMs = Math.max(state.health?.sinceMs ?? now, state.leadingSinceMs ?? now) + unknownShownMs;
  if (now < showAtMs) return stepOf(state, wake(showAtMs));
  if (state.row.move !== null)
    return setPhase(state, movePhase(state), messages.notYetApplied(state, holder));
  const { detail, phase } = messages.healthUnknown(state, holder, health);
  return setPhase(state, phase, detail);
}

function keepHolder(state: State, { holder, now }: HolderCheck): Step {
  const moved = moveToPreferred(state, holder, now);
  if (moved !== null) return moved;
  const holdDownEndsMs = (state.row.lastMovedMs ?? 0) + state.row.holdDownMs;
  const preferredAtMs = [...state.healthySinceMs.values()].map((since) => since + state.row.holdDownMs);
  const drainedAtMs =
    state.peers.get(holder)?.draining === true ? state.row.failedChecks.map(forgottenMs) : [];
  const wakes = [...(state.row.preempt ? [holdDownEndsMs, ...preferredAtMs] : []), ...drainedAtMs]
    .filter((at) => at > now)
    .map(wake);
  const shown = showHealthy(state, holder, now);
  return { state: shown.state, effects: [...shown.effects, ...wakes] };
}

function showHealthy(state: State, holder: PeerId, now: number): Step {
  const { approval } = state;
  if (approval !== null && !isPreferredRequested(state, holder, now)) {
    const withdrawMs = (state.health?.sinceMs ?? now) + holderWellMs;
    if (now >= withdrawMs && approval.status === 'answered')
      return showHealthy({ ...state, approval: null }, holder, now);
    if (now >= withdrawMs)
      return write(state, { kind: 'withdraw_approval', why: messages.healthyAgain(state, holder) });
    const shown = showProgress(state, holder, now);
    return { state: shown.state, effects: [...shown.effects, wake(withdrawMs)] };
  }
  return showProgress(state, holder, now);
}

function showProgress(state: State, holder: PeerId, now: number): Step {
  if (state.row.move === null) return setPhase(state, 'active', null);
  // A grant is usually applied before an operator could read that it is pending.
  const showAtMs = Math.max(state.row.lastMovedMs ?? 0, state.leadingSinceMs ?? 0) + quickMoveMs;
  return now < showAtMs
    ? stepOf(state, wake(showAtMs))
    : setPhase(state, movePhase(state), messages.notYetApplied(state, holder));
}

/** A healthy holder is replaced when its instance is drained, or by preemption. */
function moveToPreferred(state: State, holder: PeerId, now: number): Step | null {
  const { row } = state;
  // It has to be connected, to acknowledge the release: a preference is no reason to wait for a lease to expire.
  if (row.move !== null || state.peers.get(holder)?.connected !== true) return null;
  const target = preferredTarget(state, holder, now);
  if (target === null) return null;
  const { peerId, reason } = target;
  const detail =
    reason === 'drained' ? messages.drained(state, holder, peerId) : messages.preempts(state, peerId);
  if (reason === 'preempted' && state.mode === 'blocked') return null;
  if (reason === 'preempted' && state.mode === 'require_approval') {
    return state.approval === null
      ? write(state, { kind: 'request_approval', target: peerId, reason, detail })
      : null;
  }
  return write(state, { kind: 'revoke', successor: peerId, reason, detail });
}

function preferredTarget(
  state: State,
  holder: PeerId,
  now: number,
): { readonly peerId: PeerId; readonly reason: Reason } | null {
  if (state.peers.get(holder)?.draining === true) {
    const other = bestCandidate(state, now, [holder]);
    // A drained holder that serves is better than one that does not: the address would come back.
    const isBetter =
      other !== null && fitnessOf(state, other) !== 'draining' && !doesCheckFail(state, other, now);
    return isBetter ? { peerId: other, reason: 'drained' } : null;
  }
  const { row } = state;
  const holdDownEndsMs = (row.lastMovedMs ?? Number.NEGATIVE_INFINITY) + row.holdDownMs;
  if (!row.preempt || now < holdDownEndsMs) return null;
  const better = row.candidates.find((peerId) => {
    const since = state.healthySinceMs.get(peerId);
    // Nobody knows whether the service answers again where its check failed.
    const isKnownToFail = row.checked && row.failedChecks.some((one) => one.peerId === peerId);
    return since !== undefined && now >= since + row.holdDownMs && !isKnownToFail;
  });
  return better === undefined ? null : { peerId: better, reason: 'preempted' };
}

/** The pending request is for the move to the preferred candidate, which is still preferred. */
function isPreferredRequested(state: State, holder: PeerId, now: number): boolean {
  return state.approval !== null && preferredTarget(state, holder, now)?.peerId === state.approval.target;
}

function requestApproval(
  state: State,
  wanted: {
    readonly target: PeerId;
    readonly reason: Reason;
    readonly detail: string;
    readonly lost: string;
  },
): Step {
  const { target, reason, detail, lost } = wanted;
  const { approval } = state;
  if (approval === null || (approval.status === 'answered' && approval.target !== target)) {
    return write(state, { kind: 'request_approval', target, reason, detail });
  }
  if (approval.status === 'pending' && fitnessOf(state, approval.target) === 'unavailable') {
    return write(state, {
      kind: 'withdraw_approval',
      why: messages.targetUnavailable(state, approval.target),
    });
  }
  const what =
    approval.status === 'pending'
      ? messages.waitsForApproval(state, approval.target)
      : messages.requestRejected(state, approval.target);
  return setPhase(state, 'error', `${lost} ${what}`);
}

function revoke(
  state: State,
  away: { readonly reason: Reason; readonly detail: string; readonly now: number },
): Step {
  const { reason, detail } = away;
  return write(state, {
    kind: 'revoke',
    successor: bestCandidate(state, away.now, [state.row.holder]),
    reason,
    detail,
  });
}

/** Records health and fitness, and since when each has been as it is. */
function withObservedHealth(state: State, { holder, health, now }: HolderCheck): State {
  const before = state.health;
  const sinceMs = before?.verdict === health.verdict ? before.sinceMs : now;
  const lostSinceMs = health.lost ? (before?.lostSinceMs ?? now) : null;
  const position = state.row.candidates.indexOf(holder);
  const healthySinceMs = new Map<PeerId, number>();
  for (const peerId of state.row.candidates.slice(0, Math.max(position, 0))) {
    if (fitnessOf(state, peerId) === 'healthy')
      healthySinceMs.set(peerId, state.healthySinceMs.get(peerId) ?? now);
  }
  return { ...state, healthySinceMs, health: { verdict: health.verdict, sinceMs, lostSinceMs } };
}

/** Abandons a fail-over in progress: renewals of the holder are acknowledged again. */
function clearFailover(state: State): State {
  if (!state.fenced && state.proof === null && !state.isReleaseProven) return state;
  return { ...state, fenced: false, proof: null, isReleaseProven: false };
}

function movePhase(state: State): Phase {
  return state.row.move?.reason === 'created' ? 'pending' : 'failing_over';
}

function setPhase(state: State, phase: Phase, detail: string | null): Step {
  if (state.row.phase === phase && state.row.detail === detail) return stepOf(state);
  return write(state, { kind: 'set_phase', phase, detail });
}

function write(state: State, effect: Effect & { readonly kind: WriteKind }): Step {
  return stepOf({ ...state, writing: effect.kind }, effect);
}

function stepOf(state: State, ...effects: readonly Effect[]): Step {
  return { state, effects };
}

function wake(atMs: number): Effect {
  return { kind: 'wake', atMs };
}
