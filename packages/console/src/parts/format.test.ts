// How numbers and times are put.
import { describe, expect, it } from 'vitest';
import { count, formatAge, formatBytes, formatDuration } from './format.ts';

const now = Date.parse('2025-11-21T20:00:00.000Z');
const ago = (ms: number) => new Date(now - ms).toISOString();

describe('bytes', () => {
  it.each([
    [null, '—'],
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1234, '1.23 kB'],
    [12_345_678, '12.3 MB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [9_996, '10.0 kB'],
    [1.5e12, '1.50 TB'],
    [9e21, '9000000 PB'],
  ])('%s are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('a length of time', () => {
  it.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [26 * 3_600_000, '1 d 2 h'],
    [8 * 86_400_000 + 3_600_000, '8 d'],
  ])('of %i ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('an age', () => {
  it.each([
    [null, 'never'],
    [ago(0), 'now'],
    [ago(-1500), 'now'],
    [ago(12_000), '12 s ago'],
    [ago(-3_600_000), 'in 1 h'],
    ['soon', 'soon'],
  ])('of %s is %s', (at, text) => expect(formatAge(at, now)).toBe(text));
});

it('counts in the singular and the plural', () => {
  expect([count(1, 'peer'), count(0, 'peer'), count(10_000, 'peer'), count(2, 'policy', 'policies')]).toEqual(
    ['1 peer', '0 peers', '10,000 peers', '2 policies'],
  );
});
