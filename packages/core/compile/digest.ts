// The digest of an entry and of a document. A document's hash is the sum (mod 2^128) of its entries' digests, so
// that a change costs as much as what changed and not as much as what stayed. It finds lost and misapplied
// changes between two honest sides; it is not a signature (the stream's TLS is what authenticates).
import { hash } from 'node:crypto';
import { type SentEntry, sentEntryKey } from '../wire/document.ts';

/** JSON with the members of every object in code unit order: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** SHA-256 of the entry's canonical JSON under its key, cut to 128 bits. */
export function entryDigest(value: SentEntry): bigint {
  return keyedDigest(sentEntryKey(value), value);
}

/** The same of a value that this version cannot read, under the key that it has. */
export function keyedDigest(key: string, value: unknown): bigint {
  return BigInt(`0x${hash('sha256', `${key}\n${canonicalJson(value)}`).slice(0, 32)}`);
}

export function addDigests(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(128, a + b);
}

export function subtractDigests(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(128, a - b);
}

/** How a document's hash is written on the wire: 32 hexadecimal digits. */
export function formatDigest(digest: bigint): string {
  return digest.toString(16).padStart(32, '0');
}

export function documentDigest(values: Iterable<SentEntry>): bigint {
  let sum = 0n;
  for (const value of values) sum += entryDigest(value);
  return BigInt.asUintN(128, sum);
}
