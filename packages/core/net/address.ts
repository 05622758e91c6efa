// IPv6 and IPv4 addresses as text and as numbers. Parsing is strict (no leading zeros in IPv4, no zones,
// no hexadecimal forms); printing is RFC 5952. Prefixes are in prefix.ts.
import { Address4, Address6 } from 'ip-address';

export type Family = 4 | 6;

/** An address of either family; `bits` is its value as an unsigned number of 32 or 128 bits. */
export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

export const widthOf = { 4: 32, 6: 128 } as const satisfies Record<Family, number>;

const ipv4Shape = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;

/** Reads one address, or returns null when the text is not exactly one. */
export function parseAddress(text: string): Address | null {
  if (text.length > 45) return null;
  if (ipv4Shape.test(text)) {
    return Address4.isValid(text) ? { family: 4, bits: new Address4(text).bigInt() } : null;
  }
  if (!text.includes(':') || /[/%\s]/.test(text) || !Address6.isValid(text)) return null;
  return { family: 6, bits: new Address6(text).bigInt() };
}

/** Prints an address: dotted quad, or RFC 5952 (lower case, longest run of zeros once compressed). */
export function formatAddress(address: Address): string {
  if (address.family === 4) {
    const n = Number(address.bits);
    return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
  }
  return formatIpv6(address.bits);
}

function formatIpv6(bits: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((bits >> shift) & 0xffffn));
  const run = longestZeroRun(groups);
  if (run.length < 2) return groups.map((g) => g.toString(16)).join(':');
  const head = groups.slice(0, run.start).map((g) => g.toString(16));
  const tail = groups.slice(run.start + run.length).map((g) => g.toString(16));
  return `${head.join(':')}::${tail.join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}

/** The family of an address or a prefix that is known to be one. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}

/** The address as a block of one. */
export function withLength(address: string): string {
  return `${address}/${widthOf[familyOf(address)]}`;
}

/** The address of an address with its length; one without stays as it is. */
export function withoutLength(text: string): string {
  const slash = text.indexOf('/');
  return slash < 0 ? text : text.slice(0, slash);
}

/** The canonical text of an address given as text, or null. */
export function canonicalAddress(text: string): string | null {
  const address = parseAddress(text);
  return address === null ? null : formatAddress(address);
}

/** An address with a UDP port, as WireGuard prints it: `203.0.113.5:51820`, `[2001:db8::5]:51820`. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):([1-9]\d{0,4})$/.exec(text);
  if (match === null) return null;
  const address = parseAddress(match[1] ?? match[2] ?? '');
  const port = Number(match[3]);
  if (address === null || port > 65535) return null;
  if ((address.family === 6) !== (match[1] !== undefined)) return null;
  return { address, port };
}

export function formatEndpoint(endpoint: Endpoint): string {
  const text = formatAddress(endpoint.address);
  return endpoint.address.family === 6 ? `[${text}]:${endpoint.port}` : `${text}:${endpoint.port}`;
}
