// Slices of a prefix of pods: how large one is, which is free, and which interfaces of a machine a cluster makes.
import { widthOf } from './address.ts';
import { contains, hostMask, type Prefix } from './prefix.ts';

/** Of a node in Kubernetes: `--node-cidr-mask-size-ipv4`, and of k3s `--node-cidr-mask-size-ipv6`. */
const usualLength = { 4: 24, 6: 64 } as const;
/** Where that leaves fewer, a prefix has so many slices: 2 to the power of this. */
const slicesBits = 4;
/** The longest slices: 14 hosts of IPv4, and as many as a prefix may have of IPv6 without a /64. */
const longestLength = { 4: 28, 6: 120 } as const;
/** Longer prefixes have no room for the slices of several nodes. */
export const podPrefixLengthMax = {
  4: longestLength[4] - slicesBits,
  6: longestLength[6] - slicesBits,
} as const;

/** How long the slice of one node is; null: the prefix is too long to have any. */
export function sliceLengthOf({ family, length }: Prefix): number | null {
  if (length > podPrefixLengthMax[family]) return null;
  return Math.max(usualLength[family], length + slicesBits);
}

/**
 * The free slice of that length nearest to the end of the prefix: clusters give slices from its beginning
 * (kube-controller-manager), so that what the platform gives is seldom in the way of theirs. null: none is free.
 */
export function freeSlice(prefix: Prefix, length: number, taken: readonly Prefix[]): Prefix | null {
  const { family } = prefix;
  const size = 1n << BigInt(widthOf[family] - length);
  const used = new Set<bigint>();
  const wide: Prefix[] = [];
  for (const one of taken) {
    if (one.length < length) wide.push(one);
    else if (one.family === family) used.add((one.bits / size) * size);
  }
  let bits = prefix.bits + hostMask(prefix) + 1n - size;
  while (bits >= prefix.bits) {
    const slice: Prefix = { family, bits, length };
    const around = wide.find((one) => contains(one, slice));
    if (around === undefined && !used.has(bits)) return slice;
    bits = (around?.bits ?? bits) - size;
  }
  return null;
}

/** The bridge of a node's pods, and what flannel makes (`flannel.1`, `flannel-v6.1`, `flannel-wg`). */
export function isClusterInterface(name: string): boolean {
  return name === 'cni0' || /^flannel[.-]/.test(name);
}
