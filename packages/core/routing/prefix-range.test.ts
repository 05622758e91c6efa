// Sets of prefixes, compared with looking at every prefix of a small part of the addresses.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Prefix } from '../net/prefix.ts';
import {
  aggregate,
  covers,
  intersects,
  isCovered,
  matches,
  type PrefixRange,
  rangeOf,
  rangeText,
} from './prefix-range.ts';

/** IPv4 prefixes of /28 and longer in 10.0.0.0/28: 31 of them. */
const all: readonly Prefix[] = [28, 29, 30, 31, 32].flatMap((length) =>
  Array.from({ length: 2 ** (length - 28) }, (_, i) => ({
    family: 4 as const,
    bits: 0x0a000000n + (BigInt(i) << BigInt(32 - length)),
    length,
  })),
);
const range: fc.Arbitrary<PrefixRange> = fc
  .tuple(fc.constantFrom(...all), fc.nat(4), fc.nat(4))
  .map(([block, a, b]) => {
    const [min = 0, max = 0] = [a, b].map((one) => Math.min(32, block.length + one)).sort((x, y) => x - y);
    return { block, min, max };
  });
const ranges = fc.array(range, { maxLength: 12 });
const matched = (list: readonly PrefixRange[]) =>
  all.filter((prefix) => list.some((one) => matches(one, prefix)));

it('an aggregated list matches what the list matches, in no more lines', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const fewer = aggregate(list);
      expect(matched(fewer)).toEqual(matched(list));
      expect(fewer.length).toBeLessThanOrEqual(list.length);
      expect(aggregate(fewer)).toEqual(fewer);
    }),
    { numRuns: 300 },
  );
});

it('coverage, containment and intersection are those of the prefixes in them', () => {
  fc.assert(
    fc.property(range, ranges, (one, others) => {
      const mine = matched([one]);
      expect(isCovered(one, others, { parts: 10_000 })).toBe(
        mine.every((prefix) => matched(others).includes(prefix)),
      );
      for (const other of others) {
        const theirs = matched([other]);
        expect(intersects(one, other)).toBe(mine.some((prefix) => theirs.includes(prefix)));
        if (covers(other, one)) expect(mine.every((prefix) => theirs.includes(prefix))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

it('are written as bgpd writes them', () => {
  const texts = (...list: readonly PrefixRange[]) => aggregate(list).map(rangeText);
  expect(texts(rangeOf('fd00::/64'), rangeOf('fd00:0:0:1::/64'))).toEqual(['fd00::/63 ge 64 le 64']);
  expect(texts(rangeOf('fd00::/48', 64))).toEqual(['fd00::/48 ge 64']);
  expect(texts(rangeOf('fd00::/48', undefined, 64))).toEqual(['fd00::/48 le 64']);
  expect(texts(rangeOf('fd00::/48', 48, 48), rangeOf('10.0.0.0/8'))).toEqual(['10.0.0.0/8', 'fd00::/48']);
  expect(texts(rangeOf('::/0', undefined, 128))).toEqual(['::/0 le 128']);
  expect(texts(rangeOf('fd00::/32', 33), rangeOf('fd00::/32'))).toEqual(['fd00::/32 le 128']);
  const sites = Array.from({ length: 256 }, (_, i) => rangeOf(`10.1.${i}.0/24`));
  expect(texts(...sites)).toEqual(['10.1.0.0/16 ge 24 le 24']);
});
