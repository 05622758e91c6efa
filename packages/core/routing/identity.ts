// Who announces a prefix: a large community (RFC 8092) of the announcer's address, set where the prefix originates and
// by reflectors, so that it can be matched whatever reflectors stand between.
import { formatAddress, parseAddress } from '../net/address.ts';

const bits32 = 0xffffffffn;

/** `asNumber:high:low`, where high and low are the interface id of the announcer's IPv6 address. */
export function announcerCommunity(asNumber: number, hostAddress: string): string {
  const bits = bitsOf(hostAddress);
  return `${asNumber}:${(bits >> 32n) & bits32}:${bits & bits32}`;
}

/** The low 32 bits of the address, written as an IPv4 address. */
export function routerIdOf(hostAddress: string): string {
  return formatAddress({ family: 4, bits: bitsOf(hostAddress) & bits32 });
}

function bitsOf(hostAddress: string): bigint {
  const address = parseAddress(hostAddress);
  if (address === null) throw new Error(`not an address: ${hostAddress}`);
  return address.bits;
}
