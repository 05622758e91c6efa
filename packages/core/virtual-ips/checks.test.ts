// A virtual IP whose holder's health check fails: when it moves, to whom, and when it stays.
import { beforeEach, describe, expect, test } from 'vitest';
import type { HolderHealth } from '../intent/virtual-ip.ts';
import { failedCheckMs } from '../limits/failover.ts';
import { candidatesOf } from './candidates.ts';
import { type Effect, type Event, newState, type PeerFacts, type Row, type State } from './state.ts';
import { hubs, lease, row, well } from './step.fixture.ts';
import { step } from './step.ts';

const ids = ['a', 'b', 'c'];
let now: number;
let state: State;
let done: Effect[];

/** What a leader writes is committed at once, and applied by the nodes that it concerns. */
function feed(event: Event): void {
  const taken = step(state, event, now);
  state = taken.state;
  for (const effect of taken.effects)
    if (effect.kind !== 'wake' && effect.kind !== 'acknowledge') perform(effect);
}

function perform(effect: Effect): void {
  done.push(effect);
  const { row: before } = state;
  const written = (changed: Partial<Row>) => {
    feed({ kind: 'row', row: { ...before, ...changed } });
    const what = state.writing;
    if (what !== null) feed({ kind: 'written', what, done: true });
  };
  switch (effect.kind) {
    case 'revoke': {
      const failed = { peerId: before.holder ?? '', recovered: false, atMs: now };
      const others = before.failedChecks.filter(({ peerId }) => peerId !== before.holder);
      return written({
        holder: null,
        epoch: before.epoch + 1,
        releasing: { peerId: before.holder ?? '', sequence: 10, sinceMs: now },
        successor: effect.successor,
        move: { reason: effect.reason, detail: '', fromPeerId: before.holder, grantSequence: null },
        ...(effect.reason === 'check_failed' ? { failedChecks: [...others, failed] } : {}),
      });
    }
    case 'grant': {
      const move = { reason: effect.reason, detail: '', fromPeerId: null, grantSequence: 10 };
      const holds = { holder: effect.to, epoch: before.epoch + 1, lastMovedMs: now };
      return written({ ...holds, releasing: null, successor: null, move });
    }
    case 'complete':
      return written({ move: null, phase: 'active', detail: null });
    case 'note_healthy': {
      const others = before.failedChecks.filter(({ peerId }) => peerId !== effect.peerId);
      return written({ failedChecks: others.map((one) => ({ ...one, recovered: true })) });
    }
    case 'set_phase':
      return written({ phase: effect.phase, detail: effect.detail });
    case 'request_approval':
      feed({ kind: 'approval', approval: { status: 'pending', target: effect.target } });
      return written({});
    case 'withdraw_approval':
      feed({ kind: 'approval', approval: null });
      return written({});
    default:
      throw new Error(`${effect.kind} was not expected`);
  }
}

function peers(facts: Readonly<Record<string, Partial<PeerFacts>>> = {}): void {
  const all = ids.map((id) => [id, { ...well, hostname: `host-${id}`, ...facts[id] }] as const);
  feed({ kind: 'peers', peers: new Map(all) });
}

function says(peerId: string, health: HolderHealth | null): void {
  const lastError = health === 'failing' ? 'the connection was refused' : null;
  feed({ kind: 'check', peerId, check: health === null ? null : { health, lastError } });
}

/** The clock goes on; whoever holds the address renews its lease. */
function pass(ms: number): void {
  for (const end = now + ms; now < end; ) {
    now += 100;
    const { holder, epoch } = state.row;
    if (holder !== null) feed({ kind: 'renew', peerId: holder, epoch });
    feed({ kind: 'tick' });
  }
}

function begin(first: Partial<Row> = {}, mode: State['mode'] = 'auto_approve'): void {
  now = 100_000;
  done = [];
  state = newState({ ...row, checked: true, ...first }, mode);
  peers();
  const terms = new Map(ids.map((id) => [id, lease] as const));
  feed({ kind: 'terms', terms, oldTerms: [lease], names: new Map() });
  for (const hub of hubs) {
    for (const peerId of ids) {
      feed({ kind: 'report', hub, peerId, report: { reachable: true, sinceMs: now, streamOpenedMs: 0 } });
    }
  }
  feed({ kind: 'leadership', leading: true });
  pass(100);
  done = [];
}

const moves = (): string[] => done.flatMap((effect) => (effect.kind === 'grant' ? effect.to : []));

beforeEach(() => begin());

describe('a holder whose health check fails', () => {
  test('hands the address over to the best other candidate', () => {
    says('a', 'unknown');
    says('a', 'healthy');
    pass(5_000);
    expect(done).toEqual([]);
    says('a', 'failing');
    expect(done.slice(0, 2)).toMatchObject([
      {
        kind: 'revoke',
        successor: 'b',
        reason: 'check_failed',
        detail: 'The health check of host-a fails: the connection was refused. It goes to host-b.',
      },
      { kind: 'grant', to: 'b' },
    ]);
    expect(state.row).toMatchObject({ holder: 'b', phase: 'active', move: null });
  });

  test('is no reason where nothing is asked, or when its agent is not connected', () => {
    begin({ checked: false });
    says('a', 'failing');
    begin();
    peers({ a: { connected: false } });
    says('a', 'failing');
    pass(2_000);
    expect(moves()).toEqual([]);
  });

  test('does not say anything of a candidate that does not hold it', () => {
    says('b', 'failing');
    expect(done).toEqual([]);
    says('a', 'failing');
    expect(moves()).toEqual(['b']);
    // b has not said anything since it holds it.
    pass(60_000);
    expect(moves()).toEqual(['b']);
  });

  test('keeps the address when no other can take it, and says why until it is well', () => {
    begin({ candidates: ['a'] });
    says('a', 'failing');
    pass(5_000);
    expect(state.row).toMatchObject({
      phase: 'error',
      detail: expect.stringMatching(/The health check of host-a fails: .* no other candidate/),
    });
    says('a', 'healthy');
    expect(state.row).toMatchObject({ phase: 'active', detail: null });
    expect(moves()).toEqual([]);
  });

  test('moves no sooner after another move than the hold-down says', () => {
    begin({ holdDownMs: 10_000, lastMovedMs: 95_000 });
    says('a', 'failing');
    pass(4_800);
    expect(moves()).toEqual([]);
    expect(state.row.phase).toBe('error');
    pass(200);
    expect(moves()).toEqual(['b']);
  });

  test('waits for people where the policy asks them, and not any more when it is well again', () => {
    begin({}, 'require_approval');
    says('a', 'failing');
    expect(done[0]).toMatchObject({ kind: 'request_approval', target: 'b', reason: 'check_failed' });
    pass(10_000);
    expect(state.row.phase).toBe('error');
    says('a', 'healthy');
    pass(60_000);
    expect(done.at(-1)).toMatchObject({ kind: 'withdraw_approval' });
    expect(moves()).toEqual([]);
  });

  test('keeps it where the policy forbids moves', () => {
    begin({}, 'blocked');
    says('a', 'failing');
    pass(5_000);
    expect(moves()).toEqual([]);
    expect(state.row.detail).toContain('blocked');
  });
});

describe('candidates whose checks all fail', () => {
  beforeEach(() => {
    for (const peerId of ['a', 'b', 'c']) {
      says(peerId, 'failing');
      pass(1_000);
    }
    pass(60_000);
  });

  test('get the address once each', () => {
    expect(moves()).toEqual(['b', 'c']);
    expect(state.row).toMatchObject({ holder: 'c', phase: 'error' });
    expect(state.row.detail).toContain('its health check failed when it last held it');
    expect(candidatesOf(state, now).map(({ reasons }) => reasons.slice(1, 3))).toEqual([
      ['its health check failed when it last held it', 'its agent is connected'],
      ['its health check failed when it last held it', 'its agent is connected'],
      ['holds it now', 'its health check fails'],
    ]);
  });

  test('may get it again after one of them was well', () => {
    says('c', 'healthy');
    expect(state.row).toMatchObject({ phase: 'active', detail: null });
    pass(1_000);
    says('c', 'failing');
    expect(moves()).toEqual(['b', 'c', 'a']);
  });

  test('take over from a holder that is dead', () => {
    for (const hub of hubs) {
      feed({
        kind: 'report',
        hub,
        peerId: 'c',
        report: { reachable: false, sinceMs: now, streamOpenedMs: 0 },
      });
    }
    expect(moves()).toEqual(['b', 'c', 'a']);
  });
});

describe('a candidate whose check failed before', () => {
  beforeEach(() => {
    says('a', 'failing');
    says('b', 'healthy');
    expect(moves()).toEqual(['b']);
  });

  test('gets it after the others, though its order is the first', () => {
    pass(60_000);
    says('b', 'failing');
    expect(moves()).toEqual(['b', 'c']);
  });

  test('gets it after the others when the holder is dead, and before none', () => {
    for (const [dead, next] of [
      ['b', 'c'],
      ['c', 'a'],
    ] as const) {
      pass(1_000);
      const lost = { reachable: false, sinceMs: now, streamOpenedMs: 0 };
      for (const hub of hubs) feed({ kind: 'report', hub, peerId: dead, report: lost });
      expect(moves().at(-1)).toBe(next);
    }
  });

  test('gets it after one that is less fit', () => {
    peers({ c: { inSync: false } });
    says('b', 'failing');
    expect(moves()).toEqual(['b', 'c']);
  });

  test('is in its place again after ten minutes', () => {
    pass(failedCheckMs - 100);
    expect(candidatesOf(state, now).map(({ score }) => score)).toEqual([57, 116, 115]);
    pass(100);
    expect(candidatesOf(state, now).map(({ score }) => score)).toEqual([117, 116, 115]);
    says('b', 'failing');
    expect(moves()).toEqual(['b', 'a']);
  });

  test('is in its place again when its check has succeeded', () => {
    says('b', 'failing');
    says('c', 'failing');
    says('a', 'healthy');
    expect(moves()).toEqual(['b', 'c', 'a']);
    expect(candidatesOf(state, now).map(({ score }) => score)).toEqual([117, 56, 55]);
  });

  test('does not get it from a drained holder that serves, until that is forgotten', () => {
    peers({ b: { draining: true }, c: { connected: false } });
    pass(failedCheckMs - 100);
    expect(moves()).toEqual(['b']);
    pass(200);
    expect(moves()).toEqual(['b', 'a']);
  });
});

describe('preemption', () => {
  test('does not return to a candidate whose check failed', () => {
    begin({ preempt: true });
    says('a', 'failing');
    says('b', 'healthy');
    pass(60_000);
    expect(moves()).toEqual(['b']);
    expect(state.row.failedChecks).toMatchObject([{ peerId: 'a', recovered: true }]);
  });
});
