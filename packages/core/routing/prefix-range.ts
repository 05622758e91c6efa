// Sets of prefixes as a prefix-list matches them: all prefixes inside a block whose lengths are in a range.
import { type Family, widthOf } from '../net/address.ts';
import { contains, formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';

/** `min` is not less than the length of the block. */
export interface PrefixRange {
  readonly block: Prefix;
  readonly min: number;
  readonly max: number;
}

/** As a statement writes it: exactly the prefix when no length is given, as bgpd reads it. */
export function rangeOf(text: string, ge?: number, le?: number): PrefixRange {
  const block = parsePrefix(text);
  if (block === null) throw new Error(`not a prefix: ${text}`);
  if (ge === undefined && le === undefined) return { block, min: block.length, max: block.length };
  return { block, min: ge ?? block.length, max: le ?? widthOf[block.family] };
}

export function matches(range: PrefixRange, prefix: Prefix): boolean {
  return contains(range.block, prefix) && prefix.length >= range.min && prefix.length <= range.max;
}

/** Whether every prefix of the second is one of the first. */
export function covers(outer: PrefixRange, inner: PrefixRange): boolean {
  return contains(outer.block, inner.block) && outer.min <= inner.min && inner.max <= outer.max;
}

/** Whether a prefix is in both. */
export function intersects(a: PrefixRange, b: PrefixRange): boolean {
  const [outer, inner] = a.block.length <= b.block.length ? [a, b] : [b, a];
  return contains(outer.block, inner.block) && outer.min <= inner.max && inner.min <= outer.max;
}

/** The line of a prefix-list behind `permit`. */
export function rangeText({ block, min, max }: PrefixRange): string {
  const ge = min > block.length ? ` ge ${min}` : '';
  const isOpen = min > block.length && max === widthOf[block.family];
  return `${formatPrefix(block)}${ge}${max > block.length && !isOpen ? ` le ${max}` : ''}`;
}

/** In the order of families and addresses, shorter blocks first. */
export function compareRanges(a: PrefixRange, b: PrefixRange): number {
  return (
    a.block.family - b.block.family ||
    Number(a.block.bits > b.block.bits) - Number(a.block.bits < b.block.bits) ||
    a.block.length - b.block.length ||
    a.min - b.min ||
    a.max - b.max
  );
}

/** The same prefixes in fewer ranges: without covered ones, halves joined to their whole, lengths joined. */
export function aggregate(ranges: readonly PrefixRange[]): PrefixRange[] {
  return ([4, 6] as const)
    .flatMap((family) =>
      aggregateFamily(
        family,
        ranges.filter(({ block }) => block.family === family),
      ),
    )
    .sort(compareRanges);
}

function aggregateFamily(family: Family, ranges: readonly PrefixRange[]): PrefixRange[] {
  /** By length and bits. */
  const levels = new Map<number, Map<bigint, PrefixRange[]>>();
  const add = (range: PrefixRange) => {
    const { length, bits } = range.block;
    const level = levels.get(length) ?? new Map<bigint, PrefixRange[]>();
    levels.set(length, level);
    level.set(bits, joined([...(level.get(bits) ?? []), range]));
  };
  for (const range of ranges) add(range);
  // From the longest blocks to the shortest, so that a whole that comes of two halves can be a half itself.
  for (let length = widthOf[family]; length > 0; length--) {
    const level = levels.get(length);
    if (level === undefined) continue;
    const half = 1n << BigInt(widthOf[family] - length);
    for (const [bits, lower] of level) {
      if ((bits & half) !== 0n) continue;
      const upper = level.get(bits | half) ?? [];
      for (const { min, max } of lower.filter((one) => upper.some((other) => isSameLengths(one, other)))) {
        add({ block: { family, bits, length: length - 1 }, min, max });
      }
    }
  }
  return withoutCovered([...levels.values()].flatMap((level) => [...level.values()].flat()));
}

const isSameLengths = (a: PrefixRange, b: PrefixRange) => a.min === b.min && a.max === b.max;

/** Ranges of one block, those that touch made one. */
function joined(ranges: readonly PrefixRange[]): PrefixRange[] {
  const result: PrefixRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.min - b.min)) {
    const last = result.at(-1);
    if (last !== undefined && range.min <= last.max + 1) {
      result[result.length - 1] = { ...last, max: Math.max(last.max, range.max) };
    } else result.push(range);
  }
  return result;
}

/** Shorter blocks come first; those that contain the present one are kept on a stack. */
function withoutCovered(ranges: readonly PrefixRange[]): PrefixRange[] {
  const kept: PrefixRange[] = [];
  let around: PrefixRange[] = [];
  for (const range of ranges.toSorted(compareRanges)) {
    around = around.filter(({ block }) => contains(block, range.block));
    if (around.some((outer) => covers(outer, range))) continue;
    kept.push(range);
    around.push(range);
  }
  return kept;
}

/** Whether all prefixes of the range are in others together; false also when that would take too long to find out. */
export function isCovered(
  range: PrefixRange,
  others: readonly PrefixRange[],
  budget: { parts: number },
): boolean {
  if (budget.parts-- <= 0) return false;
  const near = others.filter((other) => intersects(other, range));
  if (near.some((other) => covers(other, range))) return true;
  if (near.length === 0) return false;
  const { block, min, max } = range;
  if (max > block.length || min > block.length) {
    const parts = [...exactPart(range), ...lengthParts(range, near)];
    if (parts.length > 0) return parts.every((part) => isCovered(part, near, budget));
  }
  return false;

  function exactPart(whole: PrefixRange): PrefixRange[] {
    return whole.min === block.length ? [{ block, min: block.length, max: block.length }] : [];
  }

  /** Lengths apart where another range begins or ends, or else the two halves of the block. */
  function lengthParts(whole: PrefixRange, cutters: readonly PrefixRange[]): PrefixRange[] {
    const from = Math.max(whole.min, block.length + 1);
    const cut = cutters.flatMap((one) => [one.min, one.max + 1]).find((at) => at > from && at <= max);
    if (cut !== undefined)
      return [
        { block, min: from, max: cut - 1 },
        { block, min: cut, max },
      ];
    const length = block.length + 1;
    const half = 1n << BigInt(widthOf[block.family] - length);
    return [block.bits, block.bits | half].map((bits) => ({
      block: { ...block, bits, length },
      min: from,
      max,
    }));
  }
}
