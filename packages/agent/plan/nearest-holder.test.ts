// Which holder is used, as distances and paths vary, beside a model that looks at the whole past each time.
import { nearerForMs, nearerMs, nearerShare } from '@powernode/core/limits/anycast';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHeard, type PathState } from '../probe/path-state.ts';
import { type HolderOption, NearestHolders } from './nearest-holder.ts';

interface Named extends HolderOption {
  readonly name: string;
}

/** Calling it says how holders are at that time, and answers which one is used. */
function node(...names: readonly string[]) {
  const nearest = new NearestHolders();
  let used: string | undefined;
  return (
    nowMs: number,
    distances: Readonly<Record<string, number | null>>,
    states: Readonly<Record<string, PathState>> = {},
  ) => {
    const options = names.map(
      (name): Named => ({ name, roundTripMs: distances[name] ?? null, state: states[name] ?? 'alive' }),
    );
    const present = options.find(({ name }) => name === used);
    used = nearest.choose('v', { options, present, nowMs })?.name;
    return { used, dueMs: nearest.dueMs };
  };
}

describe('of three holders', () => {
  test('the one with the shortest round trip is used at once', () => {
    expect(node('a', 'b', 'c')(0, { a: 40, b: 12, c: 30 }).used).toBe('b');
  });

  test('a clearly nearer one is used after it has been so for a while, and not before', () => {
    const at = node('a', 'b');
    expect(at(0, { a: 10, b: 30 }).used).toBe('a');
    expect(at(1_000, { a: 40, b: 30 })).toEqual({ used: 'a', dueMs: 1_000 + nearerForMs });
    expect(at(1_000 + nearerForMs - 1, { a: 40, b: 30 }).used).toBe('a');
    expect(at(1_000 + nearerForMs, { a: 40, b: 30 })).toEqual({ used: 'b', dueMs: null });
  });

  test('a moment in which it is not begins the while anew', () => {
    const at = node('a', 'b');
    at(0, { a: 10, b: 30 });
    at(1_000, { a: 40, b: 30 });
    expect(at(5_000, { a: 31, b: 30 }).dueMs).toBeNull();
    at(5_100, { a: 40, b: 30 });
    expect(at(6_500, { a: 40, b: 30 }).used).toBe('a');
  });

  test('one that is gone is left at once for the nearest of the others', () => {
    const at = node('a', 'b', 'c');
    at(0, { a: 10, b: 30, c: 20 });
    expect(at(100, { a: 10, b: 30, c: 20 }, { a: 'dead' }).used).toBe('c');
    expect(at(200, { a: 10, b: 30, c: 20 }, { a: 'returning' }).used).toBe('c');
    at(300, { a: 10, b: 30, c: 20 });
    expect(at(300 + nearerForMs, { a: 10, b: 30, c: 20 }).used).toBe('a');
  });

  test('of those that are about as near the preferred one is used', () => {
    const at = node('a', 'b');
    expect(at(0, { a: 10.5, b: 10 }, { a: 'dead' }).used).toBe('b');
    at(1, { a: 10.5, b: 10 });
    expect(at(1 + nearerForMs, { a: 10.5, b: 10 }).used).toBe('a');
    // Farther by more than that, and not clearly: it stays.
    expect(at(60_000, { a: 11.5, b: 10 })).toEqual({ used: 'a', dueMs: null });
  });

  test('without any distance the preferred one is used, and when none is heard nothing moves', () => {
    const at = node('a', 'b');
    expect(at(0, {}, { a: 'untried', b: 'untried' }).used).toBe('a');
    expect(at(1, {}, { a: 'dead', b: 'returning' }).used).toBe('b');
    expect(at(2, {}, { a: 'returning', b: 'alive' }).used).toBe('b');
    expect(at(3, {}).used).toBe('a');
    expect(at(4, {}, { a: 'dead', b: 'dead' }).used).toBe('a');
  });
});

const names = ['a', 'b', 'c'] as const;
const reading = fc.record({
  afterMs: fc.integer({ min: 1, max: 2_000 }),
  distances: fc.record({
    a: fc.double({ min: 1, max: 60, noNaN: true }),
    b: fc.double({ min: 1, max: 60, noNaN: true }),
    c: fc.double({ min: 1, max: 60, noNaN: true }),
  }),
  states: fc.record({
    a: fc.constantFrom<PathState>('alive', 'alive', 'alive', 'dead', 'returning'),
    b: fc.constantFrom<PathState>('alive', 'alive', 'alive', 'dead', 'returning'),
    c: fc.constantFrom<PathState>('alive', 'alive', 'alive', 'dead', 'returning'),
  }),
});

test('noise moves nothing: a holder that is heard is left only after others were better all the while', () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 2, maxLength: 40 }), (readings) => {
      const at = node(...names);
      const past: { readonly nowMs: number; readonly isBeaten: boolean }[] = [];
      let nowMs = 0;
      let before: (typeof names)[number] | undefined;
      for (const { afterMs, distances, states } of readings) {
        nowMs += afterMs;
        const chosen = at(nowMs, distances, states).used;
        const used = names.find((name) => name === chosen);
        const heard = names.filter((name) => isHeard(states[name]));
        if (heard.length > 0) expect(heard).toContain(used);
        const alive = names.filter((name) => states[name] === 'alive');
        if (before !== undefined && isHeard(states[before])) {
          const own = before;
          const isBeaten = alive.some((name) => {
            const byMs = distances[own] - distances[name];
            const isNearer = byMs >= nearerMs && byMs >= distances[own] * nearerShare;
            const isPreferred = names.indexOf(name) < names.indexOf(own);
            return isNearer || (isPreferred && -byMs <= Math.max(1, (distances[own] * nearerShare) / 2));
          });
          past.push({ nowMs, isBeaten });
          if (used !== before) {
            const last = past.findLastIndex((one) => !one.isBeaten);
            const sinceMs = past[last + 1]?.nowMs ?? Number.POSITIVE_INFINITY;
            expect(nowMs - sinceMs).toBeGreaterThanOrEqual(nearerForMs);
          }
        }
        if (used !== before) past.length = 0;
        before = used;
      }
    }),
  );
});

test('whatever was before, steady distances end with one that no other is clearly nearer than', () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 10 }), (readings) => {
      const at = node(...names);
      let nowMs = 0;
      for (const { afterMs, distances, states } of readings) at((nowMs += afterMs), distances, states);
      const distances = readings.at(-1)?.distances ?? { a: 1, b: 1, c: 1 };
      let used: string | undefined;
      for (let i = 0; i < 4; i++) used = at((nowMs += nearerForMs), distances).used;
      const own = distances[used as 'a'];
      for (const name of names) {
        const byMs = own - distances[name];
        expect(byMs >= nearerMs && byMs >= own * nearerShare).toBe(false);
      }
      // And stays there.
      expect(at(nowMs + 60_000, distances)).toEqual({ used, dueMs: null });
    }),
  );
});
