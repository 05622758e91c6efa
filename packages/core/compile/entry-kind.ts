// The interface of a kind of entry: what audits of changes, nodes without IPv4 and roll-backs need to know of it.
// entry-kinds.ts lists the kinds; the kinds of an item stand with the item (items/*).
import { familyOf } from '../net/address.ts';
import type { EntryValue } from '../wire/document.ts';
import type { RollBack } from './take-back.ts';

type Entry<K extends EntryValue['kind']> = Extract<EntryValue, { readonly kind: K }>;

/** The interfaces of a document, and those of them that have a peer. */
export interface PresentInterfaces {
  readonly all: ReadonlySet<string>;
  readonly peered: ReadonlySet<string>;
}

export interface EntryKindTraits<E extends EntryValue> {
  /** One plain sentence for operators. */
  describe(entry: E): string;
  /** What goes back when a change of the entry cut the node off. */
  readonly rollBack: RollBack<E>;
  /**
   * What a node without an IPv4 address in the network has of the entry: the same object when that is all, null for
   * nothing. An entry that leads IPv4 packets into the overlay, or answers for an IPv4 address of it, is left out.
   * AllowedIPs and rules stay: they admit or deny packets, and lead none anywhere.
   */
  withoutIpv4(entry: E): E | null;
  /** What can be applied of the entry when only these interfaces are there: as for `withoutIpv4`. */
  on(entry: E, interfaces: PresentInterfaces): E | null;
}

export type EntryKindTable = { readonly [K in EntryValue['kind']]: EntryKindTraits<Entry<K>> };

/** Of a kind that has no address of either family by itself, and needs no interface. */
export const unaffected = {
  withoutIpv4: <E extends EntryValue>(entry: E): E | null => entry,
  on: <E extends EntryValue>(entry: E): E | null => entry,
};

/** Of a kind that belongs to one interface. */
export function onOwnInterface<E extends EntryValue & { readonly interface: string }>(
  entry: E,
  { all }: PresentInterfaces,
): E | null {
  return all.has(entry.interface) ? entry : null;
}

/** Of a kind that names tunnels. */
export function onTunnels<E extends EntryValue & { readonly by: readonly { readonly interface: string }[] }>(
  entry: E,
  { all }: PresentInterfaces,
): E | null {
  const by = entry.by.filter((one) => all.has(one.interface));
  if (by.length === entry.by.length) return entry;
  return by.length === 0 ? null : { ...entry, by };
}

/** The entry with the IPv6 addresses of a list of it; null when it has none. */
export function withIpv6Of<F extends string, E extends EntryValue & { readonly [K in F]: readonly string[] }>(
  entry: E,
  field: F,
): E | null {
  const list = entry[field].filter((address) => familyOf(address) === 6);
  if (list.length === entry[field].length) return entry;
  return list.length === 0 ? null : { ...entry, [field]: list };
}
