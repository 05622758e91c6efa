// What sides of rules mean as sets of addresses, in a form that covering can be asked of: names of sides, the names of
// all sides that hold one, and the parts that one consists of.
import { type Family, formatAddress, widthOf } from '../net/address.ts';
import { contains, formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';
import type { RuleSide } from '../wire/document.ts';
import { PrefixMap, type Spot, spotOf } from './prefix-map.ts';

/** A set of addresses that rules either cover wholly or have to be asked about in parts. */
export type Atom =
  | { readonly kind: 'address'; readonly spot: Spot }
  | { readonly kind: 'group'; readonly group: string }
  /** Addresses of the block that no longer block of a rule holds, whosever they are. */
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
  readonly #neighbours = new Map<string, ReadonlySet<string>>();
  readonly #families: SidesParts['families'];
  readonly #blocks = new Map<string, Prefix>();
  readonly #starts = new Map<string, Prefix[]>();
  readonly #byAddress = new PrefixMap<string>();
  readonly #holders = new Map<string, readonly string[]>();
  readonly #parts = new Map<string, readonly Atom[]>();

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

  atomsOf(side: RuleSide): readonly Atom[] {
    switch (side.kind) {
      case 'host':
        return side.addresses.flatMap(addressAtom);
      case 'group':
        return [{ kind: 'group', group: side.group }];
      case 'cidr': {
        const prefix = this.#blocks.get(side.cidr);
        return prefix === undefined ? [] : [blockAtom(prefix)];
      }
      case 'all':
        return this.#families.map((family) => ({ kind: 'block', prefix: { family, bits: 0n, length: 0 } }));
    }
  }

  /** The names of all sides that hold the atom wholly. */
  holdersOf(atom: Atom): readonly string[] {
    const name = nameOf(atom);
    let holders = this.#holders.get(name);
    if (holders === undefined) {
      holders = this.#findHolders(atom);
      this.#holders.set(name, holders);
    }
    return holders;
  }

  /** What the atom consists of, when that can be said; empty: it cannot. */
  partsOf(atom: Atom): readonly Atom[] {
    const name = nameOf(atom);
    let parts = this.#parts.get(name);
    if (parts === undefined) {
      parts = this.#findParts(atom);
      this.#parts.set(name, parts);
    }
    return parts;
  }

  /** Groups that have a member in common with this one, itself included. */
  neighbours(group: string): ReadonlySet<string> {
    const known = this.#neighbours.get(group);
    if (known !== undefined) return known;
    const found = new Set([group]);
    for (const address of this.#groups.get(group) ?? []) {
      for (const other of this.#groupsOf.get(address) ?? []) found.add(other);
    }
    this.#neighbours.set(group, found);
    return found;
  }

  #findHolders(atom: Atom): string[] {
    switch (atom.kind) {
      case 'address': {
        const groups = (this.#groupsOf.get(atom.spot.text) ?? []).map((group) => `group ${group}`);
        return [atom.spot.text, ...groups, ...this.#byAddress.covering(atom.spot), 'all'];
      }
      case 'group':
        return [`group ${atom.group}`, 'all'];
      case 'block': {
        const { prefix } = atom;
        const spot = { family: prefix.family, bits: prefix.bits, text: '' };
        // A longer block at the same address covers its first address only.
        const names = Array.from(this.#byAddress.covering(spot)).filter((name) => {
          const other = this.#blocks.get(name.slice('block '.length));
          return other !== undefined && contains(other, prefix);
        });
        return [...names, 'all'];
      }
    }
  }

  #findParts(atom: Atom): readonly Atom[] {
    if (atom.kind === 'group') return (this.#groups.get(atom.group) ?? []).flatMap(addressAtom);
    if (atom.kind === 'address') return [];
    return this.#blocksThatFill(atom.prefix);
  }

  /** Blocks of rules inside this one that fill it from its first address to its last; empty: they leave gaps. */
  #blocksThatFill(outer: Prefix): Atom[] {
    const end = outer.bits + sizeOf(outer);
    const parts: Atom[] = [];
    for (let at = outer.bits; at < end; ) {
      const next = this.#starting(outer.family, at).find((prefix) => prefix.length > outer.length);
      if (next === undefined) return [];
      parts.push(blockAtom(next));
      at += sizeOf(next);
    }
    return parts;
  }

  /** Blocks that begin at an address, the largest first. */
  #starting(family: Family, bits: bigint): readonly Prefix[] {
    return this.#starts.get(`${family} ${bits}`) ?? [];
  }
}

export function familyOf(atom: Atom): Family | null {
  if (atom.kind === 'group') return null;
  return atom.kind === 'address' ? atom.spot.family : atom.prefix.family;
}

function addressAtom(address: string): Atom[] {
  const spot = spotOf(address);
  return spot === null ? [] : [{ kind: 'address', spot }];
}

function blockAtom(prefix: Prefix): Atom {
  if (prefix.length < widthOf[prefix.family]) return { kind: 'block', prefix };
  return { kind: 'address', spot: { ...prefix, text: formatAddress(prefix) } };
}

function nameOf(atom: Atom): string {
  if (atom.kind === 'group') return `group ${atom.group}`;
  return atom.kind === 'address' ? atom.spot.text : formatPrefix(atom.prefix);
}

function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(widthOf[prefix.family] - prefix.length);
}

/** What a rule's side is called where rules are kept by what they name: an address, a group, a block, or all. */
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
