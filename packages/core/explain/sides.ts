// Sides of rules as sets of addresses: the keys of a side, the keys of all sides that contain a set, and the parts of a
// set.
import { type Family, formatAddress, widthOf } from '../net/address.ts';
import { contains, formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';
import type { RuleSide } from '../wire/document.ts';
import { type ParsedAddress, PrefixMap, parsedAddressOf } from './prefix-map.ts';

/** A set of addresses that a rule covers wholly, or not at all, or in parts. */
export type AddressSet =
  | { readonly kind: 'address'; readonly address: ParsedAddress }
  | { readonly kind: 'group'; readonly group: string }
  /** The addresses of the block that are in no longer block of a rule. */
  | { readonly kind: 'block'; readonly prefix: Prefix };

export interface SidesParts {
  readonly sides: Iterable<RuleSide>;
  /** Addresses of the members of each group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly families: readonly Family[];
}

export class Sides {
  readonly #groups: SidesParts['groups'];
  readonly #groupsOf = new Map<string, string[]>();
  readonly #overlappingGroups = new Map<string, ReadonlySet<string>>();
  readonly #families: SidesParts['families'];
  readonly #blocks = new Map<string, Prefix>();
  readonly #starts = new Map<string, Prefix[]>();
  readonly #byAddress = new PrefixMap<string>();
  readonly #supersets = new Map<string, readonly string[]>();
  readonly #parts = new Map<string, readonly AddressSet[]>();

  constructor({ sides, groups, families }: SidesParts) {
    this.#groups = groups;
    this.#families = families;
    for (const [group, addresses] of groups) {
      for (const address of addresses) {
        const list = this.#groupsOf.get(address);
        if (list === undefined) this.#groupsOf.set(address, [group]);
        else list.push(group);
      }
    }
    for (const side of sides) {
      const prefix = side.kind === 'cidr' ? parsePrefix(side.cidr) : null;
      if (side.kind !== 'cidr' || prefix === null || this.#blocks.has(side.cidr)) continue;
      this.#blocks.set(side.cidr, prefix);
      this.#byAddress.set(side.cidr, `block ${side.cidr}`);
      const start = `${prefix.family} ${prefix.bits}`;
      const others = this.#starts.get(start) ?? [];
      this.#starts.set(
        start,
        [...others, prefix].sort((a, b) => a.length - b.length),
      );
    }
  }

  addressSetsOf(side: RuleSide): readonly AddressSet[] {
    switch (side.kind) {
      case 'host':
        return side.addresses.flatMap(singleAddress);
      case 'group':
        return [{ kind: 'group', group: side.group }];
      case 'cidr': {
        const prefix = this.#blocks.get(side.cidr);
        return prefix === undefined ? [] : [blockSet(prefix)];
      }
      case 'all':
        return this.#families.map((family) => ({ kind: 'block', prefix: { family, bits: 0n, length: 0 } }));
    }
  }

  /** The keys of all sides that contain the set. */
  supersetsOf(addressSet: AddressSet): readonly string[] {
    const name = nameOf(addressSet);
    let supersets = this.#supersets.get(name);
    if (supersets === undefined) {
      supersets = this.#findSupersets(addressSet);
      this.#supersets.set(name, supersets);
    }
    return supersets;
  }

  /** The parts that make up the set; empty: they are not known. */
  partsOf(addressSet: AddressSet): readonly AddressSet[] {
    const name = nameOf(addressSet);
    let parts = this.#parts.get(name);
    if (parts === undefined) {
      parts = this.#findParts(addressSet);
      this.#parts.set(name, parts);
    }
    return parts;
  }

  /** Groups that have a member in common with this one, itself included. */
  overlappingGroups(group: string): ReadonlySet<string> {
    const known = this.#overlappingGroups.get(group);
    if (known !== undefined) return known;
    const found = new Set([group]);
    for (const address of this.#groups.get(group) ?? []) {
      for (const other of this.#groupsOf.get(address) ?? []) found.add(other);
    }
    this.#overlappingGroups.set(group, found);
    return found;
  }

  #findSupersets(addressSet: AddressSet): string[] {
    switch (addressSet.kind) {
      case 'address': {
        const groups = (this.#groupsOf.get(addressSet.address.text) ?? []).map((group) => `group ${group}`);
        return [addressSet.address.text, ...groups, ...this.#byAddress.covering(addressSet.address), 'all'];
      }
      case 'group':
        return [`group ${addressSet.group}`, 'all'];
      case 'block': {
        const { prefix } = addressSet;
        const address = { family: prefix.family, bits: prefix.bits, text: '' };
        // A longer block at the same address covers its first address only.
        const names = Array.from(this.#byAddress.covering(address)).filter((name) => {
          const other = this.#blocks.get(name.slice('block '.length));
          return other !== undefined && contains(other, prefix);
        });
        return [...names, 'all'];
      }
    }
  }

  #findParts(addressSet: AddressSet): readonly AddressSet[] {
    if (addressSet.kind === 'group') return (this.#groups.get(addressSet.group) ?? []).flatMap(singleAddress);
    if (addressSet.kind === 'address') return [];
    return this.#blocksThatFill(addressSet.prefix);
  }

  /** Blocks of rules inside this one that fill it from its first address to its last; empty: they leave gaps. */
  #blocksThatFill(outer: Prefix): AddressSet[] {
    const end = outer.bits + sizeOf(outer);
    const parts: AddressSet[] = [];
    for (let at = outer.bits; at < end; ) {
      const next = this.#starting(outer.family, at).find((prefix) => prefix.length > outer.length);
      if (next === undefined) return [];
      parts.push(blockSet(next));
      at += sizeOf(next);
    }
    return parts;
  }

  /** Blocks that begin at an address, the largest first. */
  #starting(family: Family, bits: bigint): readonly Prefix[] {
    return this.#starts.get(`${family} ${bits}`) ?? [];
  }
}

export function familyOf(addressSet: AddressSet): Family | null {
  if (addressSet.kind === 'group') return null;
  return addressSet.kind === 'address' ? addressSet.address.family : addressSet.prefix.family;
}

function singleAddress(text: string): AddressSet[] {
  const address = parsedAddressOf(text);
  return address === null ? [] : [{ kind: 'address', address }];
}

function blockSet(prefix: Prefix): AddressSet {
  if (prefix.length < widthOf[prefix.family]) return { kind: 'block', prefix };
  return { kind: 'address', address: { ...prefix, text: formatAddress(prefix) } };
}

function nameOf(addressSet: AddressSet): string {
  if (addressSet.kind === 'group') return `group ${addressSet.group}`;
  return addressSet.kind === 'address' ? addressSet.address.text : formatPrefix(addressSet.prefix);
}

function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(widthOf[prefix.family] - prefix.length);
}

/** The keys of a rule's side in indexes of rules: addresses, a group, a block, or all. */
export function namesOfSide(side: RuleSide): readonly string[] {
  switch (side.kind) {
    case 'host':
      return side.addresses;
    case 'group':
      return [`group ${side.group}`];
    case 'cidr':
      return [`block ${side.cidr}`];
    case 'all':
      return ['all'];
  }
}
