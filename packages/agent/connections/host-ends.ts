// What the document does not say of the ends of connections: which addresses are this machine's, and which are behind
// bridges whose hosts may use its overlays.
import { networkInterfaces } from 'node:os';
import { canonicalAddress, parseAddress } from '@powernode/core/net/address';
import { formatPrefix, hostMask } from '@powernode/core/net/prefix';

export interface HostEnds {
  /** Addresses of this machine, in and outside of overlays, as canonical text. */
  readonly addresses: ReadonlySet<string>;
  /** Some bridge is stated. */
  readonly hasBridges: boolean;
  /** The prefixes of stated bridges that have an address. */
  readonly bridged: readonly string[];
}

/** As this machine is now. `bridges`: those that the machine's owner has stated. */
export function hostEndsOf(bridges: readonly string[]): HostEnds {
  const addresses = new Set<string>();
  const bridged = new Set<string>();
  for (const [name, list = []] of Object.entries(networkInterfaces())) {
    for (const { address, cidr } of list) {
      addresses.add(canonicalAddress(address) ?? address);
      const prefix = bridges.includes(name) && cidr !== null ? prefixAround(cidr) : null;
      if (prefix !== null) bridged.add(prefix);
    }
  }
  return { addresses, hasBridges: bridges.length > 0, bridged: [...bridged].sort() };
}

/** `172.17.0.1/16` is in `172.17.0.0/16`. */
export function prefixAround(cidr: string): string | null {
  const [text = '', lengthText] = cidr.split('/');
  const address = parseAddress(text);
  if (address === null) return null;
  const whole = { ...address, length: Number(lengthText) };
  return formatPrefix({ ...whole, bits: address.bits & ~hostMask(whole) });
}
