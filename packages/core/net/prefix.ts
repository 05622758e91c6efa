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
  const prefixes = [...new Set(texts)].map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === null) throw new Error(`not a prefix: ${text}`);
    return { text, prefix };
  });
  const isCovered = (one: Prefix) =>
    prefixes.some((other) => other.prefix !== one && contains(other.prefix, one));
  return prefixes
    .filter(({ prefix }) => !isCovered(prefix))
    .map(({ text }) => text)
    .sort();
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
