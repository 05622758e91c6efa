// Special-purpose addresses: the IANA registries that RFC 6890 describes (IPv4 and IPv6), as far as they say where an
// address can be called. Every layer checks endpoints by this one table.
import { type Address, parseAddress, parseEndpoint } from './address.ts';
import { contains, formatPrefix, overlaps, type Prefix, parsePrefix } from './prefix.ts';

/**
 * What an address is for. global: routed in the internet. documentation (RFC 5737, RFC 3849, RFC 9637, and the block for
 * benchmarks of RFC 2544) is never routed there, but labs and examples use it as if it were. private (RFC 1918, RFC 4193)
 * and shared (RFC 6598, a carrier's NAT): routed inside of one site. The others never name another machine.
 */
export type AddressClass =
  | 'global'
  | 'documentation'
  | 'private'
  | 'shared'
  | 'loopback'
  | 'unspecified'
  | 'link_local'
  | 'multicast'
  | 'broadcast'
  | 'ipv4_mapped'
  | 'translated'
  | 'reserved';

/** The longest prefix that contains an address decides. */
const registry: readonly (readonly [text: string, name: AddressClass])[] = [
  ['0.0.0.0/0', 'global'],
  ['0.0.0.0/8', 'unspecified'], // "this network", RFC 791
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link_local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'], // IETF protocol assignments, among them DS-Lite and 464XLAT inside of a host
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'reserved'], // 6to4 relay anycast, deprecated by RFC 7526
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'documentation'], // benchmarks, RFC 2544
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['255.255.255.255/32', 'broadcast'],
  // IANA has given out 2000::/3 and nothing else for unicast in the internet.
  ['::/0', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', 'ipv4_mapped'],
  ['64:ff9b::/96', 'translated'], // NAT64, RFC 6052: another machine in each network
  ['64:ff9b:1::/48', 'translated'],
  ['2000::/3', 'global'],
  ['2001::/23', 'reserved'], // IETF protocol assignments
  ['2001::/32', 'translated'], // Teredo
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', 'translated'], // 6to4
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link_local'],
  ['ff00::/8', 'multicast'],
];

const table: readonly { readonly prefix: Prefix; readonly name: AddressClass }[] = registry
  .map(([text, name]) => {
    const prefix = parsePrefix(text);
    if (prefix === null) throw new Error(`the table of special-purpose addresses has a wrong entry: ${text}`);
    return { prefix, name };
  })
  .sort((a, b) => b.prefix.length - a.prefix.length);

export function classifyAddress(address: Address): AddressClass {
  for (const { prefix, name } of table) if (contains(prefix, address)) return name;
  return 'reserved';
}

/** Whether machines elsewhere can be expected to reach this address. Documentation blocks count as reachable. */
export function isPubliclyRoutable(address: Address): boolean {
  const name = classifyAddress(address);
  return name === 'global' || name === 'documentation';
}

/** Whether the address can be called inside of one site only: private, or shared by a carrier's NAT. */
export function isCallableInsideOnly(address: Address): boolean {
  const name = classifyAddress(address);
  return name === 'private' || name === 'shared';
}

const refusals: Readonly<Partial<Record<AddressClass, string>>> = {
  loopback: 'a loopback address',
  unspecified: 'the unspecified address',
  link_local: 'a link-local address, which is not unique beyond its link',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  ipv4_mapped: 'an IPv4 address written as an IPv6 address',
  translated: 'an IPv6 address that embeds an IPv4 address (NAT64)',
  reserved: 'in a reserved prefix that is not routed on the internet',
};

/** Why an endpoint is refused: `code` is stable, `why` continues "The address is …". */
export interface EndpointRefusal {
  readonly code: 'special_address' | 'overlay_address';
  readonly why: string;
}

/**
 * Why an address cannot be the endpoint of a tunnel; null: it can. `overlays` are prefixes that are inside of tunnels: a
 * tunnel to an address of them would be its own carrier.
 */
export function refusedAsEndpoint(address: Address, overlays: Iterable<Prefix> = []): EndpointRefusal | null {
  const why = refusals[classifyAddress(address)];
  if (why !== undefined) return { code: 'special_address', why };
  for (const prefix of overlays) {
    if (contains(prefix, address)) {
      return { code: 'overlay_address', why: 'an overlay address, which is only reachable inside tunnels' };
    }
  }
  return null;
}

/** The same of an address with or without a port, as text. Text that is neither is refused too. */
export function endpointRefusal(text: string, overlays: Iterable<Prefix> = []): EndpointRefusal | null {
  const address = parseEndpoint(text)?.address ?? parseAddress(text);
  if (address === null) return { code: 'special_address', why: 'not an address' };
  return refusedAsEndpoint(address, overlays);
}

/**
 * Why a network does not route to a prefix behind one of its peers, to continue "The prefix is …"; null: it can. Global
 * and documentation prefixes can be there as well as private ones.
 */
export function subnetRefusal(prefix: Prefix): string | null {
  if (prefix.length === 0) return 'a default route, which networks do not carry';
  const whole = refusals[classifyAddress(prefix)];
  if (whole !== undefined) return whole;
  const part = table.find(
    (one) => one.prefix.length > 0 && refusals[one.name] !== undefined && overlaps(one.prefix, prefix),
  );
  return part === undefined
    ? null
    : `too wide: it covers ${formatPrefix(part.prefix)}, which is special (RFC 6890)`;
}

/** The prefixes that are spelt right; for lists that come from documents and rows. */
export function prefixesFrom(texts: Iterable<string | null>): Prefix[] {
  return [...texts].flatMap((text) => (text === null ? [] : (parsePrefix(text) ?? [])));
}
