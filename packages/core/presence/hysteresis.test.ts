// When going and coming is reported: not at once, and ever less often of one who goes back and forth.
import { presenceConfirmMs } from '@powernode/core/limits/presence';
import { expect, test } from 'vitest';
import { Hysteresis } from './hysteresis.ts';

test('a change that lasts is reported once; one that does not, never [9.14]', () => {
  const one = new Hysteresis(true);
  expect(one.observe(false, 1_000)).toBe(1_000 + presenceConfirmMs);
  expect(one.observe(true, 1_100)).toBeNull();
  expect(one.observe(false, 2_000)).toBe(2_000 + presenceConfirmMs);
  // Seen again, it counts from when it began.
  expect(one.observe(false, 2_200)).toBe(2_000 + presenceConfirmMs);
  one.report(2_300);
  expect(one.reported).toBe(false);
  expect(one.observe(false, 2_400)).toBeNull();
});

test('what is not known is no change [9.14]', () => {
  const one = new Hysteresis(true);
  one.observe(false, 1_000);
  expect(one.observe(null, 1_100)).toBeNull();
  expect(one.observe(false, 5_000)).toBe(5_000 + presenceConfirmMs);
});

test('one that changes twice a second for an hour is reported of fewer than a hundred times [9.14]', () => {
  const one = new Hysteresis(true);
  let reported = 0;
  let state = true;
  for (let atMs = 0; atMs < 3_600_000; atMs += 100) {
    if (atMs % 500 === 0) state = !state;
    const dueMs = one.observe(state, atMs);
    if (dueMs === null || dueMs > atMs) continue;
    one.report(atMs);
    reported++;
  }
  expect(reported).toBeGreaterThan(1);
  expect(reported).toBeLessThan(100);
});
