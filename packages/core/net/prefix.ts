// Prefixes (address blocks) of either family: reading, printing, containment and overlap.
import { type Address, type Family, formatAddress, parseAddress, widthOf } from './address.ts';

/** A block with its host bits zero. */
export interface Prefix {
  readonly family: Family;
  readonly bits: bigint;
  readonly length: number;
}

/** Reads `address/length`. Host bits must be zero: `fd00::1/64` is not a block and gives null. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const address = parseAddress(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === null || !/^(?:0|[1-9]\d{0,2})$/.test(lengthText)) return null;
  const length = Number(lengthText);
  if (length > widthOf[address.family]) return null;
  const prefix: Prefix = { family: address.family, bits: address.bits, length };
  return (address.bits & hostMask(prefix)) === 0n ? prefix : null;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

/** The canonical text of a prefix given as text, or null. */
export function canonicalPrefix(text: string): string | null {
  const prefix = parsePrefix(text);
  return prefix === null ? null : formatPrefix(prefix);
}

/** Ones where the host part is. */
export function hostMask(prefix: Prefix): bigint {
  return (1n << BigInt(widthOf[prefix.family] - prefix.length)) - 1n;
}

/** The address after that of the prefix itself, which no host has, where there is one. Empty: it is no prefix. */
export function firstAddressIn(text: string): string {
  const prefix = parsePrefix(text);
  if (prefix === null) return '';
  const { family, bits, length } = prefix;
  return formatAddress({ family, bits: length < widthOf[family] ? bits + 1n : bits });
}

export function contains(outer: Prefix, inner: Prefix | Address): boolean {
  if (outer.family !== inner.family) return false;
  if ('length' in inner && inner.length < outer.length) return false;
  return (inner.bits & ~hostMask(outer)) === outer.bits;
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return contains(a, b) || contains(b, a);
}

/** The same addresses in as few of these blocks as can be, sorted: none of them is inside another. */
export function withoutCovered(texts: readonly string[]): string[] {
  const prefixes = [...new Set(texts)].map((text) => ({ text, prefix: prefixKnown(text) }));
  const isCovered = (one: Prefix) =>
    prefixes.some((other) => other.prefix !== one && contains(other.prefix, one));
  return prefixes
    .filter(({ prefix }) => !isCovered(prefix))
    .map(({ text }) => text)
    .sort();
}

/**
 * At most `most` prefixes of each family that together contain all of these. Those that have the most leading bits in
 * common are joined first, so that none of the results overlap.
 *
 * @throws Error when a text is no prefix, or `most` is less than 1.
 */
export function coveringPrefixes(texts: readonly string[], most: number): string[] {
  if (most < 1) throw new Error('no prefixes are not enough to cover anything');
  const prefixes = [...new Set(texts)].map(prefixKnown);
  return ([4, 6] as const).flatMap((family) =>
    coveringOne(
      prefixes.filter((prefix) => prefix.family === family),
      most,
    ).map(formatPrefix),
  );
}

/** Of one family. Of sorted prefixes, none has more leading bits in common with another than with a neighbour. */
function coveringOne(prefixes: readonly Prefix[], most: number): Prefix[] {
  const sorted: Prefix[] = [];
  const inOrder = prefixes.toSorted((a, b) => compare(a.bits, b.bits) || a.length - b.length);
  for (const prefix of inOrder) {
    const last = sorted.at(-1);
    if (last === undefined || !contains(last, prefix)) sorted.push(prefix);
  }
  const cuts = sorted
    .flatMap((prefix, at) => {
      const before = sorted[at - 1];
      return before === undefined ? [] : [{ at, length: commonPrefix(before, prefix).length }];
    })
    .sort((a, b) => a.length - b.length)
    .slice(0, most - 1)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  return [0, ...cuts].flatMap((from, i) => {
    const group = sorted.slice(from, cuts[i]);
    const [first, last] = [group[0], group.at(-1)];
    return first === undefined || last === undefined ? [] : [commonPrefix(first, last)];
  });
}

/** The narrowest prefix that contains both; they are of one family. */
function commonPrefix(a: Prefix, b: Prefix): Prefix {
  const width = widthOf[a.family];
  const differing = (a.bits ^ b.bits).toString(2);
  const alike = differing === '0' ? width : width - differing.length;
  const length = Math.min(a.length, b.length, alike);
  const common = { family: a.family, bits: a.bits, length };
  return { ...common, bits: a.bits & ~hostMask(common) };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

function prefixKnown(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`not a prefix: ${text}`);
  return prefix;
}

/** What a network may have inside: private (RFC 1918), shared (RFC 6598) and unique local (RFC 4193) space. */
export const insideBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];
const inside = insideBlocks.map((text) => {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`the list of inside blocks has a wrong entry: ${text}`);
  return prefix;
});

/** Whether nobody on the Internet, and no protocol, has a claim to any address of the block. */
export function isInsideBlock(prefix: Prefix): boolean {
  return inside.some((block) => contains(block, prefix));
}
