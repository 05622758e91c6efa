// The decisions about one virtual IP, case by case. Safety under faults is tested in suites/simulation/failover.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  addressLeaseMarginMs,
  addressLeaseMs,
  holderProofMs,
  holderWellMs,
  terminatedHolderMs,
} from '../limits/failover.ts';
import { candidatesOf } from './candidates.ts';
import { type Effect, type Event, newState, type PeerFacts, type Row, type State } from './state.ts';
import { hubs, lease, row, well } from './step.fixture.ts';
import { step } from './step.ts';
import type { Terms } from './terms.ts';

const overMs = addressLeaseMs + addressLeaseMarginMs;

let now: number;
let state: State;
/** All effects but timers, and the times of the timers. */
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

function reports(hub: string, peerId: string, reachable: boolean | null): void {
  const report = reachable === null ? null : { reachable, sinceMs: now, streamOpenedMs: 0 };
  feed({ kind: 'report', hub, peerId, report });
}

/** Advances the clock; a holder that is given renews eight times a second. */
function pass(ms: number, asks: { readonly peerId: string; readonly epoch: number } | null = null): void {
  const end = now + ms;
  while (now < end) {
    now += 10;
    if (asks !== null && now % 120 < 10) feed({ kind: 'renew', ...asks });
    feed({ kind: 'tick' });
  }
}

/** Commits the write in progress, after which the row is this; null: the write fails. */
function written(changed: Partial<Row> | null): void {
  const what = state.writing;
  if (what === null) throw new Error('nothing is being written');
  if (changed !== null) feed({ kind: 'row', row: { ...state.row, ...changed } });
  feed({ kind: 'written', what, done: changed !== null });
}

function phaseWritten(): void {
  const last = wanted.at(-1);
  if (last?.kind !== 'set_phase') throw new Error('no phase is being written');
  written({ phase: last.phase, detail: last.detail });
}

const kinds = (): string[] => wanted.map((effect) => effect.kind);

function begin(first: Partial<Row> = {}, mode: State['mode'] = 'auto_approve'): void {
  now = 100_000;
  wanted = [];
  wakes = [];
  state = newState({ ...row, ...first }, mode);
  peers();
  terms();
  for (const hub of hubs) for (const id of ['a', 'b', 'c']) reports(hub, id, true);
  feed({ kind: 'leadership', leading: true });
  feed({ kind: 'renew', peerId: 'a', epoch: state.row.epoch });
  wanted = [];
}

beforeEach(() => begin());

describe('candidates', () => {
  test('are ranked by fitness first and then by order, with reasons', () => {
    reports('h2', 'b', false);
    peers({ c: { draining: true } });
    expect(candidatesOf(state, now).map(({ score }) => score)).toEqual([117, 96, 75]);
    peers({ a: { connected: false }, b: { presence: 'detached' } });
    expect(candidatesOf(state, now).map(({ score }) => score)).toEqual([0, 0, 115]);
    expect(candidatesOf(state, now).map(({ reasons }) => reasons)).toEqual([
      ['primary holder', 'holds it now', 'its agent is not connected', 'heard by 2 of 2 hubs'],
      ['fail-over holder 1', 'is no longer in the network'],
      ['fail-over holder 2', 'its agent is connected', 'heard by 2 of 2 hubs'],
    ]);
    reports('h1', 'c', false);
    reports('h2', 'c', null);
    expect(candidatesOf(state, now)[2]).toMatchObject({ score: 0 });
    expect(candidatesOf(state, now)[2]?.reasons).toContain('heard by 0 of 2 hubs, and has to be by 1');
  });
});

describe('a holder', () => {
  test('is acknowledged by the leader for its newest epoch only', () => {
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 1 })).toEqual([
      { kind: 'acknowledge', peerId: 'a', epoch: 1 },
    ]);
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 0 })).toEqual([]);
    expect(feed({ kind: 'renew', peerId: 'b', epoch: 1 })).toEqual([]);
    feed({ kind: 'leadership', leading: false });
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 1 })).toEqual([]);
  });

  test('lost by one hub of two keeps the address', () => {
    reports('h1', 'a', false);
    pass(5_000, { peerId: 'a', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'acknowledge')).toEqual([]);
  });

  test('that does not renew keeps the address while no hub reports on it', () => {
    for (const hub of hubs) reports(hub, 'a', null);
    peers({ a: { connected: false } });
    pass(4_900);
    expect(wanted).toEqual([]);
    pass(200);
    expect(wanted).toMatchObject([{ kind: 'set_phase', phase: 'error' }]);
    expect(JSON.stringify(wanted)).toContain('No report from hub-h1, hub-h2.');
  });

  test('is failed over as soon as the reports of new hubs count, without any further event', () => {
    const [came, report] = [now, { reachable: false, sinceMs: now, streamOpenedMs: now }];
    for (const hub of hubs) feed({ kind: 'report', hub, peerId: 'a', report });
    expect(wanted).toEqual([]);
    while (now < came + overMs) {
      now = Math.min(...wakes.filter((at) => at > now));
      feed({ kind: 'tick' });
    }
    expect(now).toBe(came + overMs);
    // Its renewal has lapsed too by then: the hubs are asked to confirm their reports.
    expect(wanted).toMatchObject([{ kind: 'confirm_expiry' }]);
  });

  test('that is connected is revoked, and is not acknowledged from then on', () => {
    for (const hub of hubs) reports(hub, 'a', false);
    expect(wanted).toMatchObject([{ kind: 'revoke', successor: 'b', reason: 'holder_dead' }]);
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 1 })).toEqual([]);
    written({
      holder: null,
      epoch: 2,
      releasing: { peerId: 'a', sequence: 11, sinceMs: now },
      successor: 'b',
    });
    terms();
    expect(kinds()).toEqual(['revoke']);
    peers({ a: { applied: 11 } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'grant', to: 'b' });
  });

  test('lost by one hub keeps the address when the other reports a moment later that it reaches it', () => {
    reports('h1', 'a', false);
    reports('h2', 'a', null);
    pass(500, { peerId: 'a', epoch: 1 });
    reports('h2', 'a', true);
    pass(2_000, { peerId: 'a', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'acknowledge')).toEqual([]);
  });
});

describe('a holder without any report from hubs', () => {
  const asks = { peerId: 'a', epoch: 1 };
  const releases = () => kinds().filter((kind) => kind === 'revoke').length;

  beforeEach(() => {
    for (const hub of hubs) reports(hub, 'a', null);
    pass(3_000, asks);
    reports('h1', 'a', false);
  });

  test('keeps the address when the other hub reports a moment later that it reaches it', () => {
    pass(900, asks);
    reports('h2', 'a', true);
    pass(2_000, asks);
    expect(releases()).toBe(0);
  });

  test('is revoked when the other hub reports nothing for a second after that', () => {
    pass(990, asks);
    expect(releases()).toBe(0);
    pass(20, asks);
    expect(releases()).toBe(1);
  });

  test('keeps the address under a new leader, until that has waited as long', () => {
    feed({ kind: 'leadership', leading: false });
    pass(3_000);
    feed({ kind: 'leadership', leading: true });
    pass(990, asks);
    expect(releases()).toBe(0);
    pass(20, asks);
    expect(releases()).toBe(1);
  });
});

describe('a holder that is down', () => {
  beforeEach(() => {
    peers({ a: { connected: false } });
    pass(addressLeaseMs);
    for (const hub of hubs) reports(hub, 'a', false);
  });

  test('is replaced when hubs confirm their reports, asked after all leases have expired', () => {
    pass(addressLeaseMarginMs - 10);
    expect(kinds()).toEqual([]);
    pass(10);
    const proof = wanted.at(-1);
    expect(proof).toMatchObject({ kind: 'confirm_expiry', peerId: 'a', hubs });
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    // One hub of two and the platform do not reach it: two of three are a blocking set.
    expect(wanted.at(-1)).toMatchObject({ kind: 'grant', to: 'b', reason: 'holder_dead' });
  });

  test('is not acknowledged from the confirmation request on, even when it returns in that moment', () => {
    pass(addressLeaseMarginMs);
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 1 })).toEqual([]);
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    written({ holder: 'b', epoch: 2, lastMovedMs: now });
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 1 })).toEqual([]);
    terms();
    expect(feed({ kind: 'renew', peerId: 'b', epoch: 2 })).toMatchObject([{ kind: 'acknowledge' }]);
  });

  test('keeps the address when hubs reach it again before they confirm', () => {
    pass(addressLeaseMarginMs);
    for (const hub of hubs) reports(hub, 'a', true);
    peers();
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    feed({ kind: 'confirmed', hub: 'h2', number: 1 });
    expect(kinds()).toEqual(['confirm_expiry']);
    expect(feed({ kind: 'renew', peerId: 'a', epoch: 1 })).toMatchObject([{ kind: 'acknowledge' }]);
  });

  test('causes another confirmation request when no hub confirms in time', () => {
    pass(addressLeaseMarginMs);
    pass(holderProofMs);
    expect(wanted.filter((effect) => effect.kind === 'confirm_expiry')).toMatchObject([
      { number: 1 },
      { number: 2 },
    ]);
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    expect(kinds()).not.toContain('grant');
    feed({ kind: 'confirmed', hub: 'h2', number: 2 });
    expect(kinds()).toContain('grant');
  });

  test('keeps the address when its outstanding terms are unknown, or have no witnesses', () => {
    for (const old of ['unknown', null] as const) {
      terms([lease, old]);
      pass(3_000);
      expect(kinds()).not.toContain('grant');
    }
    expect(state.row.phase === 'active' && state.writing).toBe('set_phase');
  });

  test('with older terms outstanding has to be lost by a blocking set of those too', () => {
    terms([lease, { witnesses: ['h3', 'h4', 'h1'], quorum: 2 }]);
    pass(addressLeaseMarginMs + 10);
    expect(kinds()).toEqual([]);
    reports('h3', 'a', false);
    pass(addressLeaseMarginMs);
    for (const hub of ['h1', 'h3']) feed({ kind: 'confirmed', hub, number: state.proofCount });
    expect(wanted.at(-1)).toMatchObject({ kind: 'grant', to: 'b' });
  });

  test('keeps the address when a write fails, and is evaluated again', () => {
    pass(addressLeaseMarginMs);
    feed({ kind: 'confirmed', hub: 'h1', number: 1 });
    written(null);
    wanted = [];
    pass(500);
    expect(wanted).toMatchObject([{ kind: 'grant', to: 'b' }]);
  });
});

describe('a peer that has to release the address', () => {
  const releasing = (more: Partial<Row> = {}) =>
    begin({
      holder: null,
      epoch: 2,
      releasing: { peerId: 'a', sequence: 11, sinceMs: 100_000 },
      successor: 'b',
      phase: 'failing_over',
      move: { reason: 'by_hand', detail: 'moved', fromPeerId: 'a', grantSequence: null },
      ...more,
    });

  test('acknowledges that; no other peer is granted the address before', () => {
    releasing();
    pass(10_000);
    expect(kinds()).not.toContain('grant');
    peers({ a: { applied: 11 } });
    expect(state.writing).not.toBe(null);
  });

  test('counts as having released it a while after its instance was terminated', () => {
    releasing();
    terms([null]);
    peers({ a: { connected: false, presence: 'terminated' } });
    pass(2_000);
    phaseWritten();
    pass(terminatedHolderMs - 3_000);
    expect(kinds()).not.toContain('grant');
    pass(2_000);
    expect(kinds()).toContain('grant');
  });

  test('is followed by the successor, or by another candidate when that is unavailable', () => {
    releasing({ successor: 'c' });
    peers({ a: { applied: 11 }, c: { connected: false } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'grant', to: 'b' });
    written(null);
    peers({ a: { applied: 11 } });
    pass(500);
    expect(wanted.at(-1)).toMatchObject({ kind: 'grant', to: 'c' });
  });

  test('leaves the address unassigned until a candidate is available', () => {
    releasing();
    for (const hub of hubs) for (const id of ['a', 'b', 'c']) reports(hub, id, false);
    peers({ a: { applied: 11 } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'unassign' });
    written({ releasing: null, successor: null, phase: 'unassigned', move: null });
    reports('h1', 'c', true);
    while (state.writing === 'set_phase') written({ detail: 'said' });
    expect(wanted.at(-1)).toMatchObject({ kind: 'grant', to: 'c' });
  });
});

describe('a new leader', () => {
  test('counts lease time from its beginning: the previous leader may have acknowledged until then', () => {
    feed({ kind: 'leadership', leading: false });
    peers({ a: { connected: false } });
    for (const hub of hubs) reports(hub, 'a', false);
    now += 10_000;
    feed({ kind: 'leadership', leading: true });
    pass(overMs - 10);
    expect(kinds()).toEqual([]);
    pass(10);
    expect(kinds()).toEqual(['confirm_expiry']);
  });
});

describe('with the policy require_approval', () => {
  beforeEach(() => {
    begin({}, 'require_approval');
    peers({ a: { connected: false } });
    pass(addressLeaseMs);
    for (const hub of hubs) reports(hub, 'a', false);
    pass(10);
  });

  test('approval is requested once, and withdrawn when the holder has been healthy for a while', () => {
    expect(wanted).toMatchObject([{ kind: 'request_approval', target: 'b', reason: 'holder_dead' }]);
    feed({ kind: 'approval', approval: { status: 'pending', target: 'b' } });
    written({});
    expect(wanted.at(-1)).toMatchObject({ kind: 'set_phase', phase: 'error' });
    written({ phase: 'error', detail: (wanted.at(-1) as { detail: string }).detail });
    pass(60_000);
    expect(kinds()).toEqual(['request_approval', 'set_phase']);
    peers();
    for (const hub of hubs) reports(hub, 'a', true);
    pass(200, { peerId: 'a', epoch: 1 });
    written({ phase: 'active', detail: null });
    pass(holderWellMs - 500, { peerId: 'a', epoch: 1 });
    expect(kinds()).not.toContain('withdraw_approval');
    pass(500, { peerId: 'a', epoch: 1 });
    expect(kinds()).toContain('withdraw_approval');
  });

  test('another target is requested when the first one is unavailable', () => {
    feed({ kind: 'approval', approval: { status: 'pending', target: 'b' } });
    written({});
    peers({ a: { connected: false }, b: { connected: false } });
    while (state.writing === 'set_phase') written({ phase: 'error', detail: 'said' });
    expect(state.writing).toBe('withdraw_approval');
    feed({ kind: 'approval', approval: null });
    written({});
    expect(wanted.at(-1)).toMatchObject({ kind: 'request_approval', target: 'c' });
  });

  test('the policy may have changed when the request fails', () => {
    written(null);
    feed({ kind: 'mode', mode: 'auto_approve' });
    pass(500);
    expect(kinds()).toContain('confirm_expiry');
  });
});

describe('preemption and draining', () => {
  test('moves to a preferred candidate that was healthy for as long as the hold-down', () => {
    begin({ holder: 'b', preempt: true, holdDownMs: 3_000, lastMovedMs: 90_000 });
    reports('h1', 'a', false);
    pass(5_000, { peerId: 'b', epoch: 1 });
    reports('h1', 'a', true);
    pass(2_900, { peerId: 'b', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'acknowledge')).toEqual([]);
    pass(110, { peerId: 'b', epoch: 1 });
    expect(wanted.at(-1)).toMatchObject({ kind: 'revoke', successor: 'a', reason: 'preempted' });
  });

  test('a drained holder is replaced once another candidate is available', () => {
    peers({ a: { draining: true }, b: { connected: false }, c: { connected: false } });
    pass(1_000, { peerId: 'a', epoch: 1 });
    expect(kinds().filter((kind) => kind !== 'acknowledge')).toEqual([]);
    peers({ a: { draining: true }, c: { connected: false } });
    expect(wanted.at(-1)).toMatchObject({ kind: 'revoke', successor: 'b', reason: 'drained' });
  });
});
