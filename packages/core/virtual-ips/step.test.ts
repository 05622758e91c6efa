// What the machine of one virtual IP decides, case by case. That it is safe whatever happens: simulation.test.ts.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  addressLeaseMarginMs,
  addressLeaseMs,
  holderProofMs,
  holderWellMs,
  terminatedHolderMs,
} from '../limits.ts';
import { candidatesOf } from './candidates.ts';
import { type Effect, type Event, newState, type PeerFacts, type Row, type State } from './state.ts';
import { step } from './step.ts';
import type { Terms } from './terms.ts';

const hubs = ['h1', 'h2'];
const lease = { witnesses: hubs, enough: 2 };
const overMs = addressLeaseMs + addressLeaseMarginMs;

const row: Row = {
  anycast: false,
  candidates: ['a', 'b', 'c'],
  preempt: false,
  holdDownMs: 0,
  holder: 'a',
  epoch: 1,
  releasing: null,
  successor: null,
  move: null,
  lastMovedMs: null,
  phase: 'active',
  detail: null,
};

const well: PeerFacts = {
  hostname: '',
  connected: true,
  applied: 10,
  inSync: true,
  draining: false,
  presence: 'here',
};

let now: number;
let state: State;
/** All that was wanted, but for waking up, and when it wanted to be woken. */
let wanted: Effect[];
let wakes: number[];

function feed(event: Event): Effect[] {
  const taken = step(state, event, now);
  state = taken.state;
  const effects = taken.effects.filter((effect) => effect.kind !== 'wake');
  wakes.push(...taken.effects.flatMap((effect) => (effect.kind === 'wake' ? effect.atMs : [])));
  wanted.push(...effects);
  return effects;
}

function peers(facts: Readonly<Record<string, Partial<PeerFacts>>> = {}): void {
  const all = new Map(
    ['a', 'b', 'c'].map((id) => [id, { ...well, hostname: `host-${id}`, ...facts[id] }] as const),
  );
  feed({ kind: 'peers', peers: all });
}

function terms(oldTerms: readonly Terms[] = [lease]): void {
  const all = new Map(['a', 'b', 'c'].map((id) => [id, lease] as const));
  feed({ kind: 'terms', terms: all, oldTerms, names: new Map(hubs.map((hub) => [hub, `hub-${hub}`])) });
}

function says(hub: string, peerId: string, alive: boolean | null): void {
  const word = alive === null ? null : { alive, sinceMs: now, openedMs: 0 };
  feed({ kind: 'word', hub, peerId, word });
}

/** The time goes on, with the holder asking eight times a second while it lives. */
function pass(ms: number, asks: { readonly peerId: string; readonly epoch: number } | null = null): void {
  const end = now + ms;
  while (now < end) {
    now += 10;
    if (asks !== null && now % 120 < 10) feed({ kind: 'hold', ...asks });
    feed({ kind: 'tick' });
  }
}

/** What was to be written is, and the row is this now. */
function written(changed: Partial<Row> | null): void {
  const what = state.writing;
  if (what === null) throw new Error('nothing is being written');
  if (changed !== null) feed({ kind: 'row', row: { ...state.row, ...changed } });
  feed({ kind: 'wrote', what, done: changed !== null });
}

/** As `written`, for what is only told to people. */
function said(): void {
  const last = wanted.at(-1);
  if (last?.kind !== 'say') throw new Error('nothing was said');
  written({ phase: last.phase, detail: last.detail });
}

function kinds(): string[] {
  return wanted.map((effect) => effect.kind);
}

function begin(first: Partial<Row> = {}, mode: State['mode'] = 'auto_approve'): void {
  now = 100_000;
  wanted = [];
  wakes = [];
  state = newState({ ...row, ...first }, mode);
  peers();
  terms();
  for (const hub of hubs) for (const id of ['a', 'b', 'c']) says(hub, id, true);
  feed({ kind: 'lead', leading: true });
  feed({ kind: 'hold', peerId: 'a', epoch: state.row.epoch });
  wanted = [];
}

beforeEach(() => begin());

describe('candidates', () => {
  test('are told apart by fitness first and then by order, with reasons', () => {
    says('h2', 'b', false);
    peers({ c: { draining: true } });
    expect(candidatesOf(state).map(({ score }) => score)).toEqual([77, 46, 25]);
    peers({ a: { connected: false }, b: { presence: 'detached' } });
    expect(candidatesOf(state).map(({ score }) => score)).toEqual([0, 0, 75]);
    expect(candidatesOf(state).map(({ reasons }) => reasons)).toEqual([
      ['primary holder', 'holds it now', 'its agent is not connected', 'heard by 2 of 2 hubs'],
      ['fail-over holder 1', 'is no longer in the network'],
      ['fail-over holder 2', 'its agent is connected', 'heard by 2 of 2 hubs'],
    ]);
    says('h1', 'c', false);
    says('h2', 'c', null);
    expect(candidatesOf(state)[2]).toMatchObject({ score: 0 });
    expect(candidatesOf(state)[2]?.reasons).toContain('heard by 0 of 2 hubs, and has to be by 1');
  });
});

describe('a holder', () => {
  test('is answered by who leads, for its newest epoch, and nobody else is', () => {
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 1 })).toEqual([
      { kind: 'answer', peerId: 'a', epoch: 1 },
    ]);
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 0 })).toEqual([]);
    expect(feed({ kind: 'hold', peerId: 'b', epoch: 1 })).toEqual([]);
    feed({ kind: 'lead', leading: false });
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 1 })).toEqual([]);
  });

  test('that one hub of two has lost stays', () => {
    says('h1', 'a', false);
    pass(5_000, { peerId: 'a', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'answer')).toEqual([]);
  });

  test('that is silent stays while no hub says anything of it', () => {
    for (const hub of hubs) says(hub, 'a', null);
    peers({ a: { connected: false } });
    pass(4_900);
    expect(wanted).toEqual([]);
    pass(200);
    expect(wanted).toMatchObject([{ kind: 'say', phase: 'error' }]);
    expect(JSON.stringify(wanted)).toContain('No report from hub-h1, hub-h2.');
  });

  test('is left as soon as the word of hubs that have just come counts, though nothing more is heard', () => {
    const [came, word] = [now, { alive: false, sinceMs: now, openedMs: now }];
    for (const hub of hubs) feed({ kind: 'word', hub, peerId: 'a', word });
    expect(wanted).toEqual([]);
    while (now < came + overMs) {
      now = Math.min(...wakes.filter((at) => at > now));
      feed({ kind: 'tick' });
    }
    expect(now).toBe(came + overMs);
    // It is silent too by then: the hubs are asked whether they stand by their word.
    expect(wanted).toMatchObject([{ kind: 'prove' }]);
  });

  test('that speaks is asked to give it up, and is not answered from then on', () => {
    for (const hub of hubs) says(hub, 'a', false);
    expect(wanted).toMatchObject([{ kind: 'release', successor: 'b', reason: 'holder_dead' }]);
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 1 })).toEqual([]);
    written({
      holder: null,
      epoch: 2,
      releasing: { peerId: 'a', sequence: 11, sinceMs: now },
      successor: 'b',
    });
    terms();
    expect(kinds()).toEqual(['release']);
    peers({ a: { applied: 11 } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'give', to: 'b' });
  });

  test('that hubs have lost and whose hub was mute only for a moment stays', () => {
    says('h1', 'a', false);
    says('h2', 'a', null);
    pass(500, { peerId: 'a', epoch: 1 });
    says('h2', 'a', true);
    pass(2_000, { peerId: 'a', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'answer')).toEqual([]);
  });
});

describe('a holder of whom nothing was known from hubs', () => {
  const asks = { peerId: 'a', epoch: 1 };
  const releases = () => kinds().filter((kind) => kind === 'release').length;

  beforeEach(() => {
    for (const hub of hubs) says(hub, 'a', null);
    pass(3_000, asks);
    says('h1', 'a', false);
  });

  test('stays when the other hub was only later than the one that has lost it', () => {
    pass(900, asks);
    says('h2', 'a', true);
    pass(2_000, asks);
    expect(releases()).toBe(0);
  });

  test('gives it up when the other hub says nothing for a second after that', () => {
    pass(990, asks);
    expect(releases()).toBe(0);
    pass(20, asks);
    expect(releases()).toBe(1);
  });

  test('stays when another process begins to lead, until that has waited as long', () => {
    feed({ kind: 'lead', leading: false });
    pass(3_000);
    feed({ kind: 'lead', leading: true });
    pass(990, asks);
    expect(releases()).toBe(0);
    pass(20, asks);
    expect(releases()).toBe(1);
  });
});

describe('a holder that is dead', () => {
  beforeEach(() => {
    peers({ a: { connected: false } });
    pass(addressLeaseMs);
    for (const hub of hubs) says(hub, 'a', false);
  });

  test('is replaced when both hubs stand by their word, asked after everybody’s time was over', () => {
    pass(addressLeaseMarginMs - 10);
    expect(kinds()).toEqual([]);
    pass(10);
    const proof = wanted.at(-1);
    expect(proof).toMatchObject({ kind: 'prove', peerId: 'a', hubs });
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    // With one hub of two and the platform against it, two of three do not hear it.
    expect(wanted.at(-1)).toMatchObject({ kind: 'give', to: 'b', reason: 'holder_dead' });
  });

  test('is not answered from the question on, even when it comes back in that moment', () => {
    pass(addressLeaseMarginMs);
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 1 })).toEqual([]);
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    written({ holder: 'b', epoch: 2, lastMovedMs: now });
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 1 })).toEqual([]);
    terms();
    expect(feed({ kind: 'hold', peerId: 'b', epoch: 2 })).toMatchObject([{ kind: 'answer' }]);
  });

  test('stays when a hub hears it again before it could stand by its word', () => {
    pass(addressLeaseMarginMs);
    for (const hub of hubs) says(hub, 'a', true);
    peers();
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    feed({ kind: 'confirmed', hub: 'h2', number: 1 });
    expect(kinds()).toEqual(['prove']);
    expect(feed({ kind: 'hold', peerId: 'a', epoch: 1 })).toMatchObject([{ kind: 'answer' }]);
  });

  test('is asked about again when no hub stands by its word in time', () => {
    pass(addressLeaseMarginMs);
    pass(holderProofMs);
    expect(wanted.filter((effect) => effect.kind === 'prove')).toMatchObject([{ number: 1 }, { number: 2 }]);
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    expect(kinds()).not.toContain('give');
    feed({ kind: 'confirmed', hub: 'h2', number: 2 });
    expect(kinds()).toContain('give');
  });

  test('stays when what it may be acting on is not known, or asks nobody', () => {
    for (const old of ['unknown', null] as const) {
      terms([lease, old]);
      pass(3_000);
      expect(kinds()).not.toContain('give');
    }
    expect(state.row.phase === 'active' && state.writing).toBe('say');
  });

  test('that may be acting on other hubs has to be lost by enough of those too', () => {
    terms([lease, { witnesses: ['h3', 'h4', 'h1'], enough: 2 }]);
    pass(addressLeaseMarginMs + 10);
    expect(kinds()).toEqual([]);
    says('h3', 'a', false);
    pass(addressLeaseMarginMs);
    for (const hub of ['h1', 'h3']) feed({ kind: 'confirmed', hub, number: state.proofs });
    expect(wanted.at(-1)).toMatchObject({ kind: 'give', to: 'b' });
  });

  test('keeps it when a write was void, and is looked at again', () => {
    pass(addressLeaseMarginMs);
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    written(null);
    wanted = [];
    pass(500);
    expect(wanted).toMatchObject([{ kind: 'give', to: 'b' }]);
  });
});

describe('who has to give it up', () => {
  const releasing = (more: Partial<Row> = {}) =>
    begin({
      holder: null,
      epoch: 2,
      releasing: { peerId: 'a', sequence: 11, sinceMs: 100_000 },
      successor: 'b',
      phase: 'failing_over',
      move: { reason: 'by_hand', detail: 'moved', fromPeerId: 'a', givenSequence: null },
      ...more,
    });

  test('does so by its own word; nobody gets it before', () => {
    releasing();
    pass(10_000);
    expect(kinds()).not.toContain('give');
    peers({ a: { applied: 11 } });
    expect(state.writing).not.toBe(null);
  });

  test('is believed to have when its machine was terminated, after a while', () => {
    releasing();
    terms([null]);
    peers({ a: { connected: false, presence: 'terminated' } });
    pass(2_000);
    said();
    pass(terminatedHolderMs - 3_000);
    expect(kinds()).not.toContain('give');
    pass(2_000);
    expect(kinds()).toContain('give');
  });

  test('the one that was meant gets it, or another one when that cannot', () => {
    releasing({ successor: 'c' });
    peers({ a: { applied: 11 }, c: { connected: false } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'give', to: 'b' });
    written(null);
    peers({ a: { applied: 11 } });
    pass(500);
    expect(wanted.at(-1)).toMatchObject({ kind: 'give', to: 'c' });
  });

  test('with nobody to get it, it is nobody’s until somebody can', () => {
    releasing();
    for (const hub of hubs) for (const id of ['a', 'b', 'c']) says(hub, id, false);
    peers({ a: { applied: 11 } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'clear' });
    written({ releasing: null, successor: null, phase: 'unassigned', move: null });
    says('h1', 'c', true);
    while (state.writing === 'say') written({ detail: 'said' });
    expect(wanted.at(-1)).toMatchObject({ kind: 'give', to: 'c' });
  });
});

describe('a new leader', () => {
  test('counts from its beginning: another one may have answered until then', () => {
    feed({ kind: 'lead', leading: false });
    peers({ a: { connected: false } });
    for (const hub of hubs) says(hub, 'a', false);
    now += 10_000;
    feed({ kind: 'lead', leading: true });
    pass(overMs - 10);
    expect(kinds()).toEqual([]);
    pass(10);
    expect(kinds()).toEqual(['prove']);
  });
});

describe('with a person to decide', () => {
  beforeEach(() => {
    begin({}, 'require_approval');
    peers({ a: { connected: false } });
    pass(addressLeaseMs);
    for (const hub of hubs) says(hub, 'a', false);
    pass(10);
  });

  test('it is asked once, and the request is taken back when the holder has been well for a while', () => {
    expect(wanted).toMatchObject([{ kind: 'ask', target: 'b', reason: 'holder_dead' }]);
    feed({ kind: 'approval', approval: { status: 'pending', target: 'b' } });
    written({});
    expect(wanted.at(-1)).toMatchObject({ kind: 'say', phase: 'error' });
    written({ phase: 'error', detail: (wanted.at(-1) as { detail: string }).detail });
    pass(60_000);
    expect(kinds()).toEqual(['ask', 'say']);
    peers();
    for (const hub of hubs) says(hub, 'a', true);
    pass(200, { peerId: 'a', epoch: 1 });
    written({ phase: 'active', detail: null });
    pass(holderWellMs - 500, { peerId: 'a', epoch: 1 });
    expect(kinds()).not.toContain('withdraw');
    pass(500, { peerId: 'a', epoch: 1 });
    expect(kinds()).toContain('withdraw');
  });

  test('another target is asked for when the first one is lost', () => {
    feed({ kind: 'approval', approval: { status: 'pending', target: 'b' } });
    written({});
    peers({ a: { connected: false }, b: { connected: false } });
    while (state.writing === 'say') written({ phase: 'error', detail: 'said' });
    expect(state.writing).toBe('withdraw');
    feed({ kind: 'approval', approval: null });
    written({});
    expect(wanted.at(-1)).toMatchObject({ kind: 'ask', target: 'c' });
  });

  test('the policy may be another one by then', () => {
    written(null);
    feed({ kind: 'mode', mode: 'auto_approve' });
    pass(500);
    expect(kinds()).toContain('prove');
  });
});

describe('going back', () => {
  test('needs preemption, and a better candidate that was fit for as long as the hold-down', () => {
    begin({ holder: 'b', preempt: true, holdDownMs: 3_000, lastMovedMs: 90_000 });
    says('h1', 'a', false);
    pass(5_000, { peerId: 'b', epoch: 1 });
    says('h1', 'a', true);
    pass(2_900, { peerId: 'b', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'answer')).toEqual([]);
    pass(110, { peerId: 'b', epoch: 1 });
    expect(wanted.at(-1)).toMatchObject({ kind: 'release', successor: 'a', reason: 'preempted' });
  });

  test('a drained holder is left for another one when there comes to be one', () => {
    peers({ a: { draining: true }, b: { connected: false }, c: { connected: false } });
    pass(1_000, { peerId: 'a', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'answer')).toEqual([]);
    peers({ a: { draining: true }, c: { connected: false } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'release', successor: 'b', reason: 'drained' });
  });
});
