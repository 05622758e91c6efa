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

const special: readonly Prefix[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
].map((text) => {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`the table of special prefixes has a wrong entry: ${text}`);
  return prefix;
});

/** Whether machines elsewhere can be expected to reach this address: not loopback, link-local, multicast,
 * private (RFC 1918, RFC 4193) or shared by a carrier's NAT (RFC 6598). Documentation blocks count as reachable. */
export function isPubliclyRoutable(address: Address): boolean {
  return !special.some((prefix) => contains(prefix, address));
}
