// When two hosts count as having answered at once.
import { expect, test } from 'vitest';
import type { Answer } from '../inside/messages.ts';
import { overlapsOf, tenuresOf } from './tenures.ts';

const answer = (name: string, at_ms: number, late_ms = 0): Answer => ({
  name,
  at_ms,
  late_ms,
  sent_ms: at_ms - 1,
  received_ms: at_ms + 1,
  seen_as: '[fd00::1]:1',
});
const every = (name: string, fromMs: number, toMs: number, stepMs = 100) =>
  Array.from({ length: (toMs - fromMs) / stepMs + 1 }, (_, i) => answer(name, fromMs + i * stepMs));

test('one after the other is no overlap, also when the first comes back later', () => {
  const tenures = tenuresOf([...every('a', 0, 1000), ...every('b', 1100, 2000), ...every('a', 2500, 3000)]);
  expect(tenures.map(({ name, firstMs, lastMs, answers }) => [name, firstMs, lastMs, answers])).toEqual([
    ['a', 0, 1000, 11],
    ['b', 1100, 2000, 10],
    ['a', 2500, 3000, 6],
  ]);
  expect(overlapsOf(tenures)).toEqual([]);
});

test('both at once is one, whoever heard them, and in whatever order the answers came', () => {
  const overlaps = overlapsOf(tenuresOf([...every('b', 900, 2000), ...every('a', 0, 1200).reverse()]));
  expect(overlaps).toMatchObject([{ one: { name: 'a' }, other: { name: 'b' }, lengthMs: 300 }]);
});

test('a single answer in the midst of another host is one, of no length', () => {
  const overlaps = overlapsOf(tenuresOf([...every('a', 0, 1000), answer('b', 555)]));
  expect(overlaps).toMatchObject([{ one: { name: 'a' }, other: { name: 'b', answers: 1 }, lengthMs: 0 }]);
});

test('what a starved service answered late counts from when it may have come in', () => {
  expect(
    overlapsOf(tenuresOf([...every('a', 0, 1000), answer('a', 1400, 350), ...every('b', 1100, 2000)])),
  ).toEqual([]);
});
