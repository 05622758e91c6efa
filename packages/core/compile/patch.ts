// A patch: what changes in a node's document, as entries to set and keys to remove, with what it does to the
// document's hash. Patches merge: applying two in order is the same as applying their merge.
import { type EntryValue, entryKey, type SentEntry, sentEntryKey } from '../wire/document.ts';
import { addDigests, entryDigest } from './digest.ts';

/** An entry with what is asked of it again and again. Made once for each distinct entry and then shared. */
export class CompiledEntry {
  readonly key: string;
  readonly value: EntryValue;
  #digest: bigint | undefined;
  #json: string | undefined;

  constructor(value: EntryValue) {
    this.key = entryKey(value);
    this.value = value;
  }

  get digest(): bigint {
    this.#digest ??= entryDigest(this.value);
    return this.#digest;
  }

  /** The entry as it is sent. */
  get json(): string {
    this.#json ??= JSON.stringify(this.value);
    return this.#json;
  }
}

export interface Patch {
  readonly set: ReadonlyMap<string, CompiledEntry>;
  readonly remove: ReadonlySet<string>;
  /** What to add to the document's digest (mod 2^128). */
  readonly digest: bigint;
}

export function isEmptyPatch(patch: Patch): boolean {
  return patch.set.size === 0 && patch.remove.size === 0;
}

/** Text first: a digest costs several times as much, and most entries that are compared have not changed. */
function isSameEntry(a: CompiledEntry, b: CompiledEntry): boolean {
  return a === b || a.json === b.json || a.digest === b.digest;
}

/** The patch that turns the first set of entries into the second. Equal entries do not appear in it. */
export function diffEntries(before: Iterable<CompiledEntry>, after: Iterable<CompiledEntry>): Patch {
  const old = new Map<string, CompiledEntry>();
  for (const entry of before) old.set(entry.key, entry);
  const set = new Map<string, CompiledEntry>();
  let digest = 0n;
  for (const entry of after) {
    const previous = old.get(entry.key);
    if (previous !== undefined) {
      old.delete(entry.key);
      if (isSameEntry(previous, entry)) continue;
      digest -= previous.digest;
    }
    set.set(entry.key, entry);
    digest += entry.digest;
  }
  for (const gone of old.values()) digest -= gone.digest;
  return { set, remove: new Set(old.keys()), digest: BigInt.asUintN(128, digest) };
}

/** First one, then the other. */
export function mergePatches(first: Patch, second: Patch): Patch {
  if (isEmptyPatch(first)) return second;
  return isEmptyPatch(second) ? first : mergeAll([first, second]);
}

/** All of them in order, as one. */
export function mergeAll(patches: readonly Patch[]): Patch {
  const set = new Map<string, CompiledEntry>();
  const remove = new Set<string>();
  let digest = 0n;
  for (const patch of patches) {
    for (const key of patch.remove) {
      set.delete(key);
      remove.add(key);
    }
    for (const [key, entry] of patch.set) {
      remove.delete(key);
      set.set(key, entry);
    }
    digest = addDigests(digest, patch.digest);
  }
  return { set, remove, digest };
}

/** Applies a patch to a document held as values by key; returns the new document. */
export function applyPatch<T extends SentEntry>(
  document: ReadonlyMap<string, T>,
  patch: { readonly set: Iterable<T>; readonly remove: Iterable<string> },
): Map<string, T> {
  const next = new Map(document);
  for (const key of patch.remove) next.delete(key);
  for (const value of patch.set) next.set(sentEntryKey(value), value);
  return next;
}
