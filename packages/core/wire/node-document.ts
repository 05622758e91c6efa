// The document of one node as those who use it ask: by kind, by network, by interface. A document does not change; the
// next one takes over what is the same, so that a change costs as much as the kinds that it touches, and nothing before
// somebody asks.
import type { EntryValue } from './document.ts';

export type EntryKind = EntryValue['kind'];
export type EntryOf<K extends EntryKind> = Extract<EntryValue, { kind: K }>;

/** Kinds whose entries name their network, and those whose entries name an interface that they belong to. */
export type NetworkKind = Extract<EntryValue, { network_id: string }>['kind'];
export type InterfaceKind = Extract<EntryValue, { interface: string }>['kind'];

type Entries = ReadonlyMap<string, EntryValue>;

export class NodeDocument {
  /** By key. */
  readonly entries: Entries;
  /** By kind; null: not sorted yet. */
  #parts: Map<string, Part> | null;

  private constructor(entries: Entries, parts: Map<string, Part> | null) {
    this.entries = entries;
    this.#parts = parts;
  }

  static of(entries: Entries): NodeDocument {
    return new NodeDocument(entries, null);
  }

  static readonly empty = NodeDocument.of(new Map());

  /** The document that follows this one. `keys`: which entries may differ. */
  next(entries: Entries, keys: ReadonlySet<string> | 'all'): NodeDocument {
    if (this.#parts === null || keys === 'all') return NodeDocument.of(entries);
    const touched = new Map<string, string[]>();
    for (const key of keys) {
      const { kind, name } = readEntryKey(key);
      const names = touched.get(kind);
      if (names === undefined) touched.set(kind, [name]);
      else names.push(name);
    }
    const parts = new Map(this.#parts);
    for (const [kind, names] of touched) {
      const before = parts.get(kind) ?? new Part(kind, new Map());
      parts.set(kind, before.changed(entries, names));
    }
    return new NodeDocument(entries, parts);
  }

  /** `name`: what the key of the entry has behind its kind. */
  get<K extends EntryKind>(kind: K, name: string): EntryOf<K> | undefined {
    const entry = this.entries.get(`${kind}/${name}`);
    return entry !== undefined && isOf(entry, kind) ? entry : undefined;
  }

  /** All of a kind, by what their keys have behind it. */
  all<K extends EntryKind>(kind: K): ReadonlyMap<string, EntryOf<K>> {
    // Sorted by their kinds, so there is no other in it.
    return this.#part(kind).byName as ReadonlyMap<string, EntryOf<K>>;
  }

  inNetwork<K extends NetworkKind>(kind: K, networkId: string): readonly EntryOf<K>[] {
    return this.#part(kind).inNetwork(networkId) as readonly EntryOf<K>[];
  }

  onInterface<K extends InterfaceKind>(kind: K, name: string): readonly EntryOf<K>[] {
    return this.#part(kind).onInterface(name) as readonly EntryOf<K>[];
  }

  #part(kind: EntryKind): Part {
    this.#parts ??= sorted(this.entries);
    return this.#parts.get(kind) ?? nothing;
  }
}

/** The two halves of an entry's key: a name may hold slashes. */
export function readEntryKey(key: string): { readonly kind: string; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { kind: key, name: '' } : { kind: key.slice(0, slash), name: key.slice(slash + 1) };
}

interface Pending {
  readonly entries: Entries;
  readonly names: ReadonlySet<string>;
}

/** The entries of one kind. */
class Part {
  readonly #kind: string;
  #byName: Entries;
  /** What `#byName` does not have yet; null: it is up to date. */
  #pending: Pending | null;
  #byNetwork: ReadonlyMap<string, readonly EntryValue[]> | null = null;
  #byInterface: ReadonlyMap<string, readonly EntryValue[]> | null = null;

  constructor(kind: string, byName: Entries, pending: Pending | null = null) {
    this.#kind = kind;
    this.#byName = byName;
    this.#pending = pending;
  }

  get byName(): Entries {
    if (this.#pending !== null) {
      this.#byName = this.#caughtUp(this.#pending);
      this.#pending = null;
    }
    return this.#byName;
  }

  inNetwork(networkId: string): readonly EntryValue[] {
    this.#byNetwork ??= grouped(this.byName, (entry) => ('network_id' in entry ? entry.network_id : null));
    return this.#byNetwork.get(networkId) ?? [];
  }

  onInterface(name: string): readonly EntryValue[] {
    this.#byInterface ??= grouped(this.byName, (entry) => ('interface' in entry ? entry.interface : null));
    return this.#byInterface.get(name) ?? [];
  }

  changed(entries: Entries, names: readonly string[]): Part {
    const earlier = this.#pending?.names ?? [];
    return new Part(this.#kind, this.#byName, { entries, names: new Set([...earlier, ...names]) });
  }

  #caughtUp({ entries, names }: Pending): Entries {
    const byName = new Map(this.#byName);
    for (const name of names) {
      const entry = entries.get(`${this.#kind}/${name}`);
      if (entry === undefined) byName.delete(name);
      else byName.set(name, entry);
    }
    return byName;
  }
}

const nothing = new Part('', new Map());

function sorted(entries: Entries): Map<string, Part> {
  const byKind = new Map<string, Map<string, EntryValue>>();
  for (const [key, entry] of entries) {
    const name = key.slice(entry.kind.length + 1);
    const ofKind = byKind.get(entry.kind);
    if (ofKind === undefined) byKind.set(entry.kind, new Map([[name, entry]]));
    else ofKind.set(name, entry);
  }
  return new Map([...byKind].map(([kind, byName]) => [kind, new Part(kind, byName)]));
}

function grouped(
  entries: Entries,
  groupOf: (entry: EntryValue) => string | null,
): ReadonlyMap<string, readonly EntryValue[]> {
  const groups = new Map<string, EntryValue[]>();
  for (const entry of entries.values()) {
    const name = groupOf(entry);
    if (name === null) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [entry]);
    else group.push(entry);
  }
  return groups;
}

function isOf<K extends EntryKind>(entry: EntryValue, kind: K): entry is EntryOf<K> {
  return entry.kind === kind;
}
