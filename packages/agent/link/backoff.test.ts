// The pauses between tries.
import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('pauses double up to a ceiling, and begin anew after success', () => {
  const backoff = new Backoff(() => 1);
  expect(Array.from({ length: 8 }, () => backoff.nextMs())).toEqual([
    200, 400, 800, 1600, 3200, 6400, 10_000, 10_000,
  ]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(200);
});

test('chance takes up to half of a pause away', () => {
  expect(new Backoff(() => 0).nextMs()).toBe(100);
});
