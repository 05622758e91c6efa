// Allocation: which /64 a network gets from its account's /48, and which /128 a peer gets from its network.
// Pure: what is taken is passed in. The caller holds the account's lock, so two answers never meet.
import { hostNumberFirst, ipv4PrefixLength, networkPrefixLength } from '../limits/overlay.ts';
import type { Address } from './address.ts';
import { overlaps, type Prefix } from './prefix.ts';
import { probeHostNumberFirst } from './probe-address.ts';

/** The lowest free /64 of the pool, or null when none is left. `taken` are prefixes of any length. */
export function allocateNetworkPrefix(pool: Prefix, taken: readonly Prefix[]): Prefix | null {
  const step = 1n << BigInt(128 - networkPrefixLength);
  const count = 1n << BigInt(networkPrefixLength - pool.length);
  const used = new Set<bigint>();
  for (const prefix of taken) for (const index of coveredIndexes(pool, prefix, step)) used.add(index);
  for (let index = 0n; index < count; index++) {
    if (!used.has(index)) return { family: 6, bits: pool.bits + index * step, length: networkPrefixLength };
  }
  return null;
}

/** Which /64 slots of the pool a prefix touches. */
function* coveredIndexes(pool: Prefix, prefix: Prefix, step: bigint): Generator<bigint> {
  const poolEnd = pool.bits + (1n << BigInt(128 - pool.length));
  const end = prefix.bits + (1n << BigInt(128 - prefix.length));
  const from = prefix.bits > pool.bits ? prefix.bits : pool.bits;
  const to = end < poolEnd ? end : poolEnd;
  for (let at = from; at < to; at += step) yield (at - pool.bits) / step;
}

/**
 * The host addresses of a network in the order in which they are given: from one above the highest ever given, so that an
 * address is not handed to somebody else while caches and logs still name its last holder. Only when the host numbers
 * have run through are freed ones given again. A /64 never runs out; small test prefixes do, within so many tries.
 */
export function* hostAddressCandidates(network: Prefix, highest: bigint | null): Generator<Address> {
  // The top of a /64 belongs to probes.
  const size = 1n << BigInt(128 - network.length);
  const hosts = size > probeHostNumberFirst ? probeHostNumberFirst : size;
  const start = highest === null ? hostNumberFirst : highest + 1n;
  for (let tried = 0n; tried < hosts && tried < triesMax; tried++) {
    const number = hostNumberFirst + ((start - hostNumberFirst + tried) % (hosts - hostNumberFirst));
    yield { family: 6, bits: network.bits + number };
  }
}

/** The lowest free block for an IPv4 prefix, or null when none is left. `taken` are prefixes of either family. */
export function allocateIpv4Prefix(pool: Prefix, taken: readonly Prefix[]): Prefix | null {
  const size = 1n << BigInt(32 - ipv4PrefixLength);
  const end = pool.bits + (1n << BigInt(32 - pool.length));
  for (let bits = pool.bits; bits < end; bits += size) {
    const block: Prefix = { family: 4, bits, length: ipv4PrefixLength };
    if (!taken.some((other) => overlaps(other, block))) return block;
  }
  return null;
}

/** The addresses of an IPv4 prefix in the order of `hostAddressCandidates`; its first and last are nobody's. */
export function* ipv4AddressCandidates(block: Prefix, highest: bigint | null): Generator<Address> {
  const hosts = (1n << BigInt(32 - block.length)) - 2n;
  const start = highest ?? 0n;
  for (let tried = 0n; tried < hosts; tried++) {
    const number = 1n + ((start + tried) % hosts);
    yield { family: 4, bits: block.bits + number };
  }
}

const triesMax = 65_536n;
