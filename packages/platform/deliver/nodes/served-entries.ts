// Which entries of its document a node is given: those that its capability knows. Nearly every node knows all of them;
// only for the others is kept what is withheld, so that hashes are over what was sent: they are sums, and the digests of
// what is withheld are removed.
import { addDigests, subtractDigests } from '@powernode/core/compile/digest';
import type { CompiledEntry, Patch } from '@powernode/core/compile/patch';
import type { EntryTable } from '@powernode/core/wire/document';

export class ServedEntries {
  readonly #capability: number;
  readonly #table: EntryTable;
  /** Entries of the document that the node does not know, with their digests. */
  readonly #withheld = new Map<string, bigint>();

  /** `document`: whole, as it is compiled. */
  constructor(
    { capability, table }: { readonly capability: number; readonly table: EntryTable },
    document: Iterable<CompiledEntry>,
  ) {
    this.#capability = capability;
    this.#table = table;
    for (const entry of document) if (!this.knows(entry)) this.#withheld.set(entry.key, entry.digest);
  }

  knows({ value }: CompiledEntry): boolean {
    return this.#table.needs(value.kind) <= this.#capability;
  }

  /** Of all that is withheld. */
  get withheldDigest(): bigint {
    let sum = 0n;
    for (const digest of this.#withheld.values()) sum = addDigests(sum, digest);
    return sum;
  }

  get withheldKeys(): Iterable<string> {
    return this.#withheld.keys();
  }

  get withholdsNothing(): boolean {
    return this.#withheld.size === 0;
  }

  /** The part of a patch that the node is given. The same object when that is all of it. */
  take(patch: Patch): Patch {
    const touched = [...patch.set.keys(), ...patch.remove];
    const isWhole =
      !touched.some((key) => this.#withheld.has(key)) &&
      [...patch.set.values()].every((entry) => this.knows(entry));
    return isWhole ? patch : this.#part(patch);
  }

  #part(patch: Patch): Patch {
    const set = new Map<string, CompiledEntry>();
    const remove = new Set<string>();
    let { digest } = patch;
    for (const key of patch.remove) {
      const before = this.#forget(key);
      if (before === null) remove.add(key);
      else digest = addDigests(digest, before);
    }
    for (const [key, entry] of patch.set) {
      // A key begins with the kind, so that what is known under it was known before, too.
      if (this.knows(entry)) {
        set.set(key, entry);
        continue;
      }
      digest = subtractDigests(addDigests(digest, this.#forget(key) ?? 0n), entry.digest);
      this.#withheld.set(key, entry.digest);
    }
    return { set, remove, digest };
  }

  #forget(key: string): bigint | null {
    const before = this.#withheld.get(key) ?? null;
    this.#withheld.delete(key);
    return before;
  }
}
