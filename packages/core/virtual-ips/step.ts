// How what happens changes a virtual IP, and what is to be done about it: step(state, event, now) → state + effects.
// Pure. The order of things that guards against two holders is explained in over.ts; what follows from what is known,
// in settle.ts; here is only what each event says.
import { virtualIpRetryMs } from '../limits.ts';
import { settle } from './settle.ts';
import type { Effect, Event, Row, State, Step, Word } from './state.ts';
import { sameTerms } from './terms.ts';

export function step(state: State, event: Event, now: number): Step {
  const answer = event.kind === 'hold' && isAnswered(state, event) ? answerTo(event) : [];
  const next = take(state, event, { now, isAnswered: answer.length > 0 });
  // Holders ask eight times a second, and it changes nothing while all is well.
  if (event.kind === 'hold' && isQuiet(next)) return { state: next, effects: answer };
  const settled = settle(next, now);
  return { state: settled.state, effects: [...answer, ...settled.effects] };
}

function take(state: State, event: Event, at: { readonly now: number; readonly isAnswered: boolean }): State {
  switch (event.kind) {
    case 'row':
      return takeRow(state, event.row);
    case 'lead':
      // What another process has answered until now is not known: as if it had been at this moment. How anybody was
      // before it led, nobody here has looked at since.
      return event.leading
        ? { ...undecided(state), leadingMs: at.now, heldMs: at.now, health: null, fitMs: new Map() }
        : { ...undecided(state), leadingMs: null };
    case 'mode':
      return { ...state, mode: event.mode };
    case 'peers':
      return { ...state, peers: event.peers };
    case 'terms':
      return takeTerms(state, event);
    case 'word':
      return takeWord(state, event);
    case 'hold':
      return at.isAnswered ? { ...state, heldMs: at.now } : state;
    case 'confirmed':
      return takeConfirmed(state, event);
    case 'approval':
      return { ...state, approval: event.approval };
    case 'wrote':
      return {
        ...state,
        writing: null,
        restUntilMs: event.done ? 0 : at.now + virtualIpRetryMs,
      };
    case 'tick':
      return state;
  }
}

function isAnswered(state: State, hold: Extract<Event, { kind: 'hold' }>): boolean {
  const { row, writing } = state;
  return (
    state.leadingMs !== null &&
    row.holder === hold.peerId &&
    row.epoch === hold.epoch &&
    !state.frozen &&
    writing !== 'release' &&
    writing !== 'give'
  );
}

function answerTo({ peerId, epoch }: Extract<Event, { kind: 'hold' }>): readonly Effect[] {
  return [{ kind: 'answer', peerId, epoch }];
}

function isQuiet(state: State): boolean {
  return state.health?.verdict === 'well' && state.row.phase === 'active' && state.row.move === null;
}

/** Whose answering counts: the holder's, or that of who has to give it up. */
export function boundBy(row: Pick<Row, 'holder' | 'releasing'>): string | null {
  return row.holder ?? row.releasing?.peerId ?? null;
}

function takeRow(state: State, row: Row): State {
  if (row.epoch === state.row.epoch) return { ...state, row };
  const isGiven = row.holder !== null;
  const isSame = boundBy(row) === boundBy(state.row);
  return {
    ...undecided(state),
    row,
    // Nobody but the one who leads gives it and answers, so a new holder was not answered yet. Who has to give it up
    // may rest on the last answer.
    heldMs: isGiven ? null : state.heldMs,
    oldTerms: isSame ? state.oldTerms : ['unknown'],
    health: null,
    fitMs: new Map(),
  };
}

function undecided(state: State): State {
  return { ...state, frozen: false, proof: null, over: false };
}

/** What was proven, was proven of what the holder could have been acting on then. */
function takeTerms(state: State, { terms, oldTerms, names }: Extract<Event, { kind: 'terms' }>): State {
  const isMore = oldTerms.some((one) => !state.oldTerms.some((known) => sameTerms(one, known)));
  return { ...(isMore ? undecided(state) : state), terms, oldTerms, names };
}

function takeWord(state: State, { hub, peerId, word }: Extract<Event, { kind: 'word' }>): State {
  const words = new Map(state.words);
  const ofPeer = new Map<string, Word>(words.get(peerId));
  if (word === null) ofPeer.delete(hub);
  else ofPeer.set(hub, word);
  words.set(peerId, ofPeer);
  if (state.proof === null || (word !== null && !word.alive) || boundBy(state.row) !== peerId) {
    return { ...state, words };
  }
  const confirmed = state.proof.confirmed.filter((one) => one !== hub);
  return { ...state, words, proof: { ...state.proof, confirmed } };
}

function takeConfirmed(state: State, { hub, number }: Extract<Event, { kind: 'confirmed' }>): State {
  const { proof } = state;
  const peerId = boundBy(state.row);
  if (proof === null || proof.number !== number || peerId === null) return state;
  const word = state.words.get(peerId)?.get(hub);
  // What was said anew after the moment of the proof says nothing about that moment.
  if (word === undefined || word.alive || word.sinceMs > proof.atMs) return state;
  if (proof.confirmed.includes(hub)) return state;
  return { ...state, proof: { ...proof, confirmed: [...proof.confirmed, hub] } };
}
