// Addresses for probes: for every peer a few that differ from its own in the top of the host part, so that a route can
// say through which tunnel each of them is reached. Hosts are never given numbers that reach up there.
import { type Address, formatAddress, parseAddress } from './address.ts';
import { formatPrefix, parsePrefix } from './prefix.ts';

/** The top 16 of the 64 host bits. 0xfe00 + slot: by way of the hub of that number. 0xfeff: without a hub. */
const viaHub = 0xfe00n;
const direct = 0xfeffn;

/** Host numbers from here on belong to probes (and to nothing else). */
export const probeHostNumberFirst = viaHub << 48n;

/** Where a hub answers what comes by way of the hub with that number; its own number: without a backup path. */
export function probeAddressVia(hostAddress: string, slot: number): string {
  return withTop(hostAddress, viaHub + BigInt(slot));
}

/** Where a spoke answers what another spoke sends it without a hub. */
export function directProbeAddress(hostAddress: string): string {
  return withTop(hostAddress, direct);
}

/** The block that all probe addresses of a network are in. `prefix`: the network's. */
export function probePrefixOf(prefix: string): string {
  const network = parsePrefix(prefix);
  if (network?.family !== 6 || network.length !== 64)
    throw new Error(`not the prefix of a network: ${prefix}`);
  return formatPrefix({ family: 6, bits: network.bits | (0xfen << 56n), length: 72 });
}

/** What a probe address is about: by way of which hub (null: without one), and the same text for all of one peer. */
export function readProbeAddress(probeAddress: string): { slot: number | null; goal: string } | null {
  const address = parseAddress(probeAddress);
  if (address === null || address.family !== 6) return null;
  const top = (address.bits >> 48n) & 0xffffn;
  if (top < viaHub) return null;
  const goal = formatAddress({ family: 6, bits: address.bits & ~(0xffffn << 48n) });
  return { slot: top === direct ? null : Number(top - viaHub), goal };
}

function withTop(hostAddress: string, top: bigint): string {
  const address = parseAddress(hostAddress);
  if (address === null || address.family !== 6) throw new Error(`not an IPv6 address: ${hostAddress}`);
  const bits = (address.bits & ~(0xffffn << 48n)) | (top << 48n);
  const probe: Address = { family: 6, bits };
  return formatAddress(probe);
}
