// What follows for a virtual IP from all that is known at a moment. Pure. Whoever leads does it; one thing is written
// at a time, and nothing is decided while it is.
import { holderWellMs } from '../limits.ts';
import { bestOf, fitnessOf } from './candidates.ts';
import { type Health, healthOf } from './health.ts';
import { proceed } from './over.ts';
import { sentences } from './sentences.ts';
import type { Effect, Phase, Reason, State, Step, Written } from './state.ts';

/** What is not known for so long is told; a start of the platform is over sooner. */
const unsureMs = 5_000;
/** A holder that is replaced within this is not called an error in between. */
const quickMs = 1_000;

export function settle(before: State, now: number): Step {
  if (before.leadingMs === null || before.writing !== null || before.row.anycast) return only(before);
  if (now < before.restUntilMs) return only(before, wake(before.restUntilMs));
  const { holder } = before.row;
  if (holder === null) return place(before, now);
  const health = healthOf(before, holder, now);
  const state = noted(before, { holder, health, now });
  const { row } = state;
  const facts = state.peers.get(holder);
  if (row.move?.givenSequence != null && (facts?.applied ?? -1) >= row.move.givenSequence) {
    return write(calm(state), { kind: 'finish' });
  }
  if (!row.candidates.includes(holder)) {
    const gone = facts?.presence !== 'here';
    return takeAway(calm(state), {
      reason: gone ? 'holder_gone' : 'holder_changed',
      detail: sentences.noCandidate(state, holder),
      now,
    });
  }
  if (health.verdict === 'down' || now >= lostForGoodMs(state))
    return replace(state, { holder, health, now });
  const step =
    health.verdict === 'unsure'
      ? wait(calm(state), { holder, health, now })
      : keep(calm(state), { holder, health, now });
  // A holder of which all is well is looked at again when something is heard.
  const isAllWell = health.verdict === 'well' && health.mute.length + health.dead.length === 0;
  if (isAllWell || health.changesMs === null) return step;
  return { state: step.state, effects: [...step.effects, wake(health.changesMs)] };
}

/** When it counts as lost: hubs that are mute for a moment may be about to say that they hear it. */
function lostForGoodMs({ health }: State): number {
  return health?.lostSinceMs == null ? Number.POSITIVE_INFINITY : health.lostSinceMs + quickMs;
}

interface Held {
  readonly holder: string;
  readonly health: Health;
  readonly now: number;
}

/** Nobody holds it: it goes to the best candidate once nobody can answer for it any more. */
function place(state: State, now: number): Step {
  const { releasing } = state.row;
  if (releasing === null) return give({ ...state, over: true });
  const gone = proceed(state, releasing.peerId, now);
  if (gone.state.over) return give(gone.state);
  const detail = sentences.waitsForOldHolder(gone.state, releasing.peerId, gone.byItsWordOnly);
  const tellMs = Math.max(releasing.sinceMs, state.leadingMs ?? 0) + quickMs;
  const told = now < tellMs ? only(gone.state, wake(tellMs)) : say(gone.state, 'failing_over', detail);
  const wakes = gone.wakeMs === null ? [] : [wake(gone.wakeMs)];
  return { state: told.state, effects: [...gone.effects, ...told.effects, ...wakes] };
}

function give(state: State): Step {
  const { releasing, successor, move } = state.row;
  const isFit = successor !== null && fitnessOf(state, successor) !== 'none';
  // It was taken from somebody for a reason: that one only gets it back when nobody else can have it.
  const to = isFit ? successor : (bestOf(state, [move?.fromPeerId ?? null]) ?? bestOf(state));
  if (to !== null) {
    const reason = move?.reason ?? 'holder_gone';
    return write(state, { kind: 'give', to, reason, detail: move?.detail ?? sentences.nobodyHadIt() });
  }
  const detail = sentences.nobodyFit(state);
  return releasing === null ? say(state, 'unassigned', detail) : write(state, { kind: 'clear', detail });
}

/** The holder is dead as far as anybody hears. */
function replace(state: State, held: Held): Step {
  const { holder, health, now } = held;
  const target = bestOf(state, [holder]);
  const lost = sentences.notHeard(state, holder, health);
  const sinceMs = health.verdict === 'down' ? state.health?.sinceMs : state.health?.lostSinceMs;
  const tellMs = (sinceMs ?? now) + quickMs;
  const refuse = (why: string, wakes: readonly Effect[] = []): Step => {
    const said = say(calm(state), 'error', `${lost} ${why}`);
    return { state: said.state, effects: [...said.effects, ...wakes] };
  };
  if (state.row.candidates.length < 2) return refuse(sentences.single());
  if (target === null) return refuse(sentences.noOther(state, holder));
  if (state.mode === 'blocked') return refuse(sentences.blocked());
  const restMs = (state.row.lastMovedMs ?? Number.NEGATIVE_INFINITY) + state.row.holdDownMs;
  if (now < restMs) return refuse(sentences.holdDown(state), [wake(restMs)]);
  const detail = sentences.moves(state, target, lost);
  if (state.mode === 'require_approval') {
    return request(calm(state), { target, reason: 'holder_dead', detail, lost });
  }
  // A holder that speaks gives it up sooner than anybody could prove that it has.
  if (state.peers.get(holder)?.connected === true && !health.silent) {
    return write(calm(state), { kind: 'release', successor: target, reason: 'holder_dead', detail });
  }
  const gone = proceed(state, holder, now);
  if (gone.state.over) {
    return write(gone.state, { kind: 'give', to: target, reason: 'holder_dead', detail });
  }
  const wakes = gone.wakeMs === null ? [] : [wake(gone.wakeMs)];
  if (now < tellMs) return only(gone.state, ...gone.effects, ...wakes, wake(tellMs));
  const said = say(gone.state, 'error', `${lost} ${sentences.unproven(gone.state, holder)}`);
  return { state: said.state, effects: [...gone.effects, ...wakes, ...said.effects] };
}

/** Nothing moves for lack of evidence. */
function wait(state: State, { holder, health, now }: Held): Step {
  if (health.lost) return only(state, wake(lostForGoodMs(state)));
  const tellMs = Math.max(state.health?.sinceMs ?? now, state.leadingMs ?? now) + unsureMs;
  if (now < tellMs) return only(state, wake(tellMs));
  if (state.row.move !== null) return say(state, underWay(state), sentences.notYetApplied(state, holder));
  const { detail, phase } = sentences.unsure(state, holder, health);
  return say(state, phase, detail);
}

function keep(state: State, { holder, now }: Held): Step {
  const improved = improve(state, holder, now);
  if (improved !== null) return improved;
  const restMs = (state.row.lastMovedMs ?? 0) + state.row.holdDownMs;
  const fitMs = [...state.fitMs.values()].map((since) => since + state.row.holdDownMs);
  const wakes = (state.row.preempt ? [restMs, ...fitMs] : []).filter((at) => at > now).map(wake);
  const told = tellWell(state, holder, now);
  return { state: told.state, effects: [...told.effects, ...wakes] };
}

function tellWell(state: State, holder: string, now: number): Step {
  const { approval } = state;
  if (approval !== null && !isWished(state, holder, now)) {
    const withdrawMs = (state.health?.sinceMs ?? now) + holderWellMs;
    if (now >= withdrawMs && approval.status === 'answered')
      return tellWell({ ...state, approval: null }, holder, now);
    if (now >= withdrawMs) return write(state, { kind: 'withdraw', why: sentences.wellAgain(state, holder) });
    const told = tellPhase(state, holder, now);
    return { state: told.state, effects: [...told.effects, wake(withdrawMs)] };
  }
  return tellPhase(state, holder, now);
}

function tellPhase(state: State, holder: string, now: number): Step {
  if (state.row.move === null) return say(state, 'active', null);
  // Usually it is applied before anybody could read that it is waited for.
  const tellMs = Math.max(state.row.lastMovedMs ?? 0, state.leadingMs ?? 0) + quickMs;
  return now < tellMs
    ? only(state, wake(tellMs))
    : say(state, underWay(state), sentences.notYetApplied(state, holder));
}

/** A holder that is well is left when its machine is drained, or when a better one is back and that is wanted. */
function improve(state: State, holder: string, now: number): Step | null {
  const { row } = state;
  // It has to be able to give it up by its own word: nobody is cut off for the sake of order.
  if (row.move !== null || state.peers.get(holder)?.connected !== true) return null;
  const target = wished(state, holder, now);
  if (target === null) return null;
  const { peerId, reason } = target;
  const detail =
    reason === 'drained' ? sentences.drained(state, holder, peerId) : sentences.preempts(state, peerId);
  if (reason === 'preempted' && state.mode === 'blocked') return null;
  if (reason === 'preempted' && state.mode === 'require_approval') {
    return state.approval === null ? write(state, { kind: 'ask', target: peerId, reason, detail }) : null;
  }
  return write(state, { kind: 'release', successor: peerId, reason, detail });
}

function wished(
  state: State,
  holder: string,
  now: number,
): { readonly peerId: string; readonly reason: Reason } | null {
  if (state.peers.get(holder)?.draining === true) {
    const other = bestOf(state, [holder]);
    const isWorth = other !== null && fitnessOf(state, other) !== 'last';
    return isWorth ? { peerId: other, reason: 'drained' } : null;
  }
  const { row } = state;
  const restMs = (row.lastMovedMs ?? Number.NEGATIVE_INFINITY) + row.holdDownMs;
  if (!row.preempt || now < restMs) return null;
  const better = row.candidates.find((peerId) => {
    const since = state.fitMs.get(peerId);
    return since !== undefined && now >= since + row.holdDownMs;
  });
  return better === undefined ? null : { peerId: better, reason: 'preempted' };
}

/** The request that waits is one to go back to a better candidate, which still is one. */
function isWished(state: State, holder: string, now: number): boolean {
  return state.approval !== null && wished(state, holder, now)?.peerId === state.approval.target;
}

function request(
  state: State,
  wanted: {
    readonly target: string;
    readonly reason: Reason;
    readonly detail: string;
    readonly lost: string;
  },
): Step {
  const { target, reason, detail, lost } = wanted;
  const { approval } = state;
  if (approval === null || (approval.status === 'answered' && approval.target !== target)) {
    return write(state, { kind: 'ask', target, reason, detail });
  }
  if (approval.status === 'pending' && fitnessOf(state, approval.target) === 'none') {
    return write(state, { kind: 'withdraw', why: sentences.targetLost(state, approval.target) });
  }
  const what =
    approval.status === 'pending'
      ? sentences.waitsForApproval(state, approval.target)
      : sentences.refused(state, approval.target);
  return say(state, 'error', `${lost} ${what}`);
}

function takeAway(
  state: State,
  away: { readonly reason: Reason; readonly detail: string; readonly now: number },
): Step {
  const { reason, detail } = away;
  return write(state, { kind: 'release', successor: bestOf(state, [state.row.holder]), reason, detail });
}

/** Health and fitness with since when they have been so. */
function noted(state: State, { holder, health, now }: Held): State {
  const before = state.health;
  const sinceMs = before?.verdict === health.verdict ? before.sinceMs : now;
  const lostSinceMs = health.lost ? (before?.lostSinceMs ?? now) : null;
  const place = state.row.candidates.indexOf(holder);
  const fitMs = new Map<string, number>();
  for (const peerId of state.row.candidates.slice(0, Math.max(place, 0))) {
    if (fitnessOf(state, peerId) === 'whole') fitMs.set(peerId, state.fitMs.get(peerId) ?? now);
  }
  return { ...state, fitMs, health: { verdict: health.verdict, sinceMs, lostSinceMs } };
}

/** Whatever was begun to take the address from its holder is given up: it is answered again. */
function calm(state: State): State {
  if (!state.frozen && state.proof === null && !state.over) return state;
  return { ...state, frozen: false, proof: null, over: false };
}

function underWay(state: State): Phase {
  return state.row.move?.reason === 'created' ? 'pending' : 'failing_over';
}

function say(state: State, phase: Phase, detail: string | null): Step {
  if (state.row.phase === phase && state.row.detail === detail) return only(state);
  return write(state, { kind: 'say', phase, detail });
}

function write(state: State, effect: Effect & { readonly kind: Written }): Step {
  return only({ ...state, writing: effect.kind }, effect);
}

function only(state: State, ...effects: readonly Effect[]): Step {
  return { state, effects };
}

function wake(atMs: number): Effect {
  return { kind: 'wake', atMs };
}
