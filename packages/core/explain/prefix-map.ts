// Values by prefix, found by the address that they cover: what a routing table and AllowedIPs do.
import { type Address, type Family, familyOf, parseAddress, widthOf } from '../net/address.ts';
import { hostMask, parsePrefix } from '../net/prefix.ts';

/** An address as canonical text and as a number. */
export interface ParsedAddress extends Address {
  readonly text: string;
}

/** null: the text is no address. */
export function parsedAddressOf(text: string): ParsedAddress | null {
  const address = parseAddress(text);
  return address === null ? null : { ...address, text };
}

export class PrefixMap<V> {
  /** Most prefixes cover one address: found by its text, which is canonical in documents. */
  readonly #hosts = new Map<string, V>();
  /** By family and length, the longest first; then by the bits of the prefix. */
  readonly #wide: { readonly family: Family; readonly length: number; readonly values: Map<bigint, V> }[] =
    [];

  /** A second value of the same prefix takes the place of the first, as in WireGuard. */
  set(prefix: string, value: V): void {
    const slash = prefix.indexOf('/');
    const address = prefix.slice(0, slash);
    if (Number(prefix.slice(slash + 1)) === widthOf[familyOf(address)]) {
      this.#hosts.set(address, value);
      return;
    }
    const parsed = parsePrefix(prefix);
    if (parsed === null) throw new Error(`not a prefix: ${prefix}`);
    this.#level(parsed.family, parsed.length).set(parsed.bits, value);
  }

  longest(address: ParsedAddress): V | undefined {
    for (const value of this.covering(address)) return value;
    return undefined;
  }

  /** The values of all prefixes that cover the address, the longest first. */
  *covering(address: ParsedAddress): Generator<V> {
    const host = this.#hosts.get(address.text);
    if (host !== undefined) yield host;
    for (const { family, length, values } of this.#wide) {
      if (family !== address.family) continue;
      const value = values.get(address.bits & ~hostMask({ family, length, bits: 0n }));
      if (value !== undefined) yield value;
    }
  }

  #level(family: Family, length: number): Map<bigint, V> {
    const known = this.#wide.find((level) => level.family === family && level.length === length);
    if (known !== undefined) return known.values;
    const values = new Map<bigint, V>();
    this.#wide.push({ family, length, values });
    this.#wide.sort((a, b) => b.length - a.length);
    return values;
  }
}
