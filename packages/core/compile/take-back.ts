// What of a change of a document goes back when the change cut the node off (confirm/roll-back.ts): the parts of which
// the kinds of entries make their rules.
import { withLength } from '../net/address.ts';
import { contains, type Prefix, parsePrefix } from '../net/prefix.ts';
import type { EntryValue } from '../wire/document.ts';
import { canonicalJson } from './digest.ts';

export type Entries = ReadonlyMap<string, EntryValue>;

/** What the entries that a change touches were before it, by key; null: there was none. */
export type Before = ReadonlyMap<string, EntryValue | null>;

/**
 * A value of the document that is not applied. It stays so as long as the document wants this very value: another one
 * is another intent, and is applied.
 */
export interface Reverted {
  readonly key: string;
  /** null: the entry as a whole. */
  readonly field: string | null;
  /** The value in canonical JSON; null: that there is no such entry. */
  readonly rejected: string | null;
  /** What is applied instead; null for a whole entry: none. */
  readonly instead: unknown;
  /** Another value that has to be wanted as well; null: none. */
  readonly along: Pick<Reverted, 'key' | 'field' | 'rejected'> | null;
}

/** An entry before and after the change. */
export interface Changed<E extends EntryValue> {
  readonly was: E;
  readonly is: E;
}

/** The whole change, for an entry that was added by it. */
export interface WholeChange {
  readonly before: Before;
  readonly current: Entries;
  readonly blocks: Blocks;
}

/** What of a kind of entry goes back. Each function names the values of the entry under `key` that are not applied. */
export interface RollBack<E extends EntryValue> {
  added(key: string, is: E, change: WholeChange): Reverted[];
  changed(key: string, change: Changed<E>, blocks: Blocks): Reverted[];
  /** Left out: what was taken away stays away. */
  removed?(key: string, was: E, blocks: Blocks): Reverted[];
}

/** The kind carries policy or names nothing that packets take: it stays as the change made it. */
export const staysAsChanged: RollBack<EntryValue> = { added: () => [], changed: () => [] };

/** An entry that the change added is not applied; other changes of the kind stay. */
export const addedIsNotApplied: RollBack<EntryValue> = {
  added: (key, is) => [wholeEntry(key, is)],
  changed: () => [],
};

export function wholeEntry(key: string, is: EntryValue): Reverted {
  return { key, field: null, rejected: canonicalJson(is), instead: null, along: null };
}

/** These fields have their earlier values, where the change gave them others. */
export function fieldsOf<E extends EntryValue>(
  key: string,
  { was, is }: Changed<E>,
  names: readonly (keyof E & string)[],
): Reverted[] {
  return names.flatMap((field): Reverted[] => {
    const rejected = canonicalJson(is[field] ?? null);
    const instead = was[field] ?? null;
    if (canonicalJson(instead) === rejected) return [];
    return [{ key, field, rejected, instead, along: null }];
  });
}

interface ListField {
  readonly field: string;
  readonly was: readonly string[];
  readonly is: readonly string[];
}

/**
 * Of a list of addresses: what was taken off it stays off, unless the whole block went; what was put on it stays on when
 * it is in a block that the network has before and after.
 */
export function mergedField(key: string, { field, was, is }: ListField, blocks: NetworkBlocks): Reverted[] {
  const kept = was.filter((one) => is.includes(one) || blocks.isDropped(one));
  const more = is.filter((one) => !was.includes(one) && blocks.isCommon(one));
  const instead = [...kept, ...more];
  const rejected = canonicalJson(is);
  return canonicalJson(instead) === rejected ? [] : [{ key, field, rejected, instead, along: null }];
}

/** The list keeps what the change put on it, and has these again. */
export function listWith(
  key: string,
  field: string,
  { is, more }: { readonly is: readonly string[]; readonly more: readonly string[] },
): Reverted[] {
  const missing = more.filter((one) => !is.includes(one));
  if (missing.length === 0) return [];
  return [{ key, field, rejected: canonicalJson(is), instead: [...is, ...missing], along: null }];
}

/** Of an entry that the change added: without addresses of blocks that the network did not have before. */
export function withoutIntroduced(
  key: string,
  { field, list, of }: { readonly field: string; readonly list: readonly string[]; readonly of: EntryValue },
  blocks: Blocks,
): Reverted[] {
  const instead = list.filter((one) => blocks.of(of).isCommon(one));
  if (instead.length === list.length) return [];
  if (instead.length === 0) return [wholeEntry(key, of)];
  return [{ key, field, rejected: canonicalJson(list), instead, along: null }];
}

/** The blocks of one network: those that it has before and after the change, and those that it had only before. */
class NetworkBlocks {
  readonly #common: readonly Prefix[];
  readonly #dropped: readonly Prefix[];

  constructor(was: readonly string[], is: readonly string[]) {
    const parsed = (texts: readonly string[]) => texts.flatMap((text) => parsePrefix(text) ?? []);
    this.#common = parsed(was.filter((one) => is.includes(one)));
    this.#dropped = parsed(was.filter((one) => !is.includes(one)));
  }

  isCommon(text: string): boolean {
    return isIn(this.#common, text);
  }

  isDropped(text: string): boolean {
    return isIn(this.#dropped, text);
  }
}

function isIn(blocks: readonly Prefix[], text: string): boolean {
  if (blocks.length === 0) return false;
  const prefix = parsePrefix(text.includes('/') ? text : withLength(text));
  return prefix !== null && blocks.some((block) => contains(block, prefix));
}

const noBlocks = new NetworkBlocks([], []);

/** The blocks of all networks of a document, before and after a change. */
export class Blocks {
  readonly #networks = new Map<string, NetworkBlocks>();
  readonly #interfaces = new Map<string, string>();
  readonly #wanted = new Map<string, NonNullable<Reverted['along']>>();

  constructor(before: Before, current: Entries) {
    for (const [key, entry] of current) {
      if (entry.kind === 'interface') this.#interfaces.set(entry.name, entry.network_id);
      if (entry.kind !== 'firewall') continue;
      const rejected = canonicalJson(entry.prefixes);
      this.#wanted.set(entry.network_id, { key, field: 'prefixes', rejected });
      const was = before.get(key);
      const prefixes = was === undefined ? entry.prefixes : was?.kind === 'firewall' ? was.prefixes : [];
      this.#networks.set(entry.network_id, new NetworkBlocks(prefixes, entry.prefixes));
    }
  }

  /** The blocks that the document wants for a network now. */
  wanted(networkId: string): Reverted['along'] {
    return this.#wanted.get(networkId) ?? null;
  }

  of(entry: EntryValue): NetworkBlocks {
    return 'network_id' in entry ? this.#network(entry.network_id) : noBlocks;
  }

  ofInterface(name: string): NetworkBlocks {
    const networkId = this.#interfaces.get(name);
    return networkId === undefined ? noBlocks : this.#network(networkId);
  }

  isDropped(networkId: string, text: string): boolean {
    return this.#network(networkId).isDropped(text);
  }

  droppedOf(networkId: string, texts: readonly string[]): string[] {
    return texts.filter((one) => this.isDropped(networkId, one));
  }

  #network(id: string): NetworkBlocks {
    return this.#networks.get(id) ?? noBlocks;
  }
}
