// The document that this machine holds, on disk and in memory: a snapshot, and a journal of the deltas since.
// One delta costs as much as it is long, whatever the size of the document. Nothing here touches the machine.
import {
  addDigests,
  documentDigest,
  entryDigest,
  formatDigest,
  keyedDigest,
  subtractDigests,
} from '@powernode/core/compile/digest';
import { applyPatch } from '@powernode/core/compile/patch';
import { ProductError } from '@powernode/core/errors';
import { parseJson } from '@powernode/core/json';
import { agentJournalBytesMin } from '@powernode/core/limits/agent';
import { type EntryValue, entryKey, sentEntryKey } from '@powernode/core/wire/document';
import type { DeltaMessage, DocumentMessage } from '@powernode/core/wire/node-stream';
import * as wire from '@powernode/core/wire/node-stream';
import type { StateFolder } from './folder.ts';
import {
  formatStored,
  readStored,
  readStoredDelta,
  type SplitEntries,
  type StoredDelta,
  splitSent,
  storedVersion,
  unsupportedDigest,
} from './stored-document.ts';

const snapshotFile = 'document.json';
const journalFile = 'document.journal';
const appliedFile = 'applied.json';

/** A document, immutable: whoever holds a reference sees one revision. */
export interface Held {
  readonly revision: number;
  /** Of all that the platform sent, also of what this agent does not know. */
  readonly hash: string;
  readonly entries: ReadonlyMap<string, EntryValue>;
}

/** What a message did: a new document with the keys that differ, nothing, or the wish to get it whole. */
export type Accepted =
  | { readonly kind: 'changed'; readonly held: Held; readonly keys: ReadonlySet<string> | 'all' }
  | { readonly kind: 'same'; readonly held: Held }
  | { readonly kind: 'resync'; readonly why: string };

interface Merged {
  readonly held: Held;
  readonly unsupported: ReadonlyMap<string, unknown>;
  readonly digest: bigint;
}

export class CurrentDocument {
  readonly #folder: StateFolder;
  #held: Held | null = null;
  #unsupported: ReadonlyMap<string, unknown> = new Map();
  #digest = 0n;
  #snapshotBytes = 0;
  #journalBytes = 0;
  /** The disk has an older document than this, and only a whole one can follow it. */
  #isUnstored = false;

  constructor(folder: StateFolder) {
    this.#folder = folder;
    this.#load();
  }

  get current(): Held | null {
    return this.#held;
  }

  /** Entries of the document that this agent does not know, as they came, by key: kept, and not applied. */
  get unsupported(): ReadonlyMap<string, unknown> {
    return this.#unsupported;
  }

  /** What is held could not be stored: the disk has an older document, or none. `store` tries again. */
  get isUnstored(): boolean {
    return this.#isUnstored;
  }

  /** Stores what is held, if it is not. Throws a ProductError when the disk does not take it. */
  store(): void {
    if (this.#isUnstored && this.#held !== null) this.#writeSnapshot(this.#held);
  }

  /** Replaces what is held. Durable when it returns unless it `isUnstored`; refused when the content has another hash. */
  acceptDocument(message: DocumentMessage): Accepted {
    const digest = documentDigest(message.entries);
    if (formatDigest(digest) !== message.hash)
      return { kind: 'resync', why: 'the document does not have its hash' };
    const { known, unsupported } = splitSent(message.entries);
    const held = { revision: message.revision, hash: message.hash, entries: byKey(known) };
    this.#hold({ held, unsupported, digest });
    this.#tryToStore(() => this.#writeSnapshot(held));
    return { kind: 'changed', held, keys: 'all' };
  }

  /** Adds a delta to what is held. Durable when it returns unless it `isUnstored`. */
  applyDelta(message: DeltaMessage): Accepted {
    const merged = this.#merge({ ...message, ...splitSent(message.set) });
    if (typeof merged === 'string') return { kind: 'resync', why: merged };
    this.#hold(merged);
    // Behind a delta that is not on disk no other one fits; the whole is stored by `store`, at its time.
    if (!this.#isUnstored) this.#tryToStore(() => this.#writeDelta(merged.held, message));
    return {
      kind: 'changed',
      held: merged.held,
      keys: new Set([...message.remove, ...message.set.map(sentEntryKey)]),
    };
  }

  /** The platform says that what is held is the newest, perhaps under a later revision. */
  acceptCurrent(message: { readonly revision: number; readonly hash: string }): Accepted {
    const held = this.#held;
    if (held === null || held.hash !== message.hash)
      return { kind: 'resync', why: 'another document is current' };
    if (held.revision === message.revision) return { kind: 'same', held };
    return this.applyDelta({ kind: 'delta', base: held.revision, ...message, set: [], remove: [] });
  }

  /** Forgets everything: an empty document in its place, which no revision of the platform has. */
  clear(): Held {
    const empty: Held = { revision: 0, hash: formatDigest(0n), entries: new Map() };
    this.#hold({ held: empty, unsupported: new Map(), digest: 0n });
    this.#tryToStore(() => this.#writeSnapshot(empty));
    // A disk that is full still lets go of files, and a machine that was sent away must not come back with the old one.
    if (this.#isUnstored) for (const file of [journalFile, snapshotFile]) this.#folder.remove(file);
    return empty;
  }

  /** What the machine was equal to. Only a hint for the next start, so it need not survive a power cut. */
  noteApplied(held: { readonly revision: number; readonly hash: string }): void {
    this.#folder.note(appliedFile, JSON.stringify({ revision: held.revision, hash: held.hash }));
  }

  /** Whether the machine was, when last seen, equal to what is held. */
  wasApplied(): boolean {
    const applied = this.readApplied();
    return applied !== null && applied.revision === this.#held?.revision && applied.hash === this.#held.hash;
  }

  readApplied(): { revision: number; hash: string } | null {
    const parsed = wire.applied
      .omit({ kind: true })
      .safeParse(parseJson(this.#folder.read(appliedFile) ?? ''));
    return parsed.success ? parsed.data : null;
  }

  #merge(delta: Pick<StoredDelta, 'base' | 'revision' | 'hash' | 'remove'> & SplitEntries): Merged | string {
    const held = this.#held;
    if (held === null) return 'a delta without a document';
    if (delta.base !== held.revision)
      return `a delta of revision ${delta.base}, but ${held.revision} is held`;
    let digest = this.#digest;
    const touched = new Set([...delta.remove, ...delta.known.map(entryKey), ...delta.unsupported.keys()]);
    const unsupported = new Map(this.#unsupported);
    for (const key of touched) {
      const before = held.entries.get(key) ?? unsupported.get(key);
      if (before !== undefined) digest = subtractDigests(digest, keyedDigest(key, before));
      unsupported.delete(key);
    }
    const entries = applyPatch(held.entries, {
      set: delta.known,
      remove: [...delta.remove, ...delta.unsupported.keys()],
    });
    for (const value of delta.known) digest = addDigests(digest, entryDigest(value));
    for (const one of delta.unsupported) unsupported.set(...one);
    digest = addDigests(digest, unsupportedDigest(delta.unsupported));
    if (formatDigest(digest) !== delta.hash) return 'the delta does not give the hash that it names';
    return { held: { revision: delta.revision, hash: delta.hash, entries }, unsupported, digest };
  }

  #hold({ held, unsupported, digest }: Merged): void {
    this.#held = held;
    this.#unsupported = unsupported;
    this.#digest = digest;
  }

  /** A disk that takes nothing must not keep the machine from becoming what the document says. */
  #tryToStore(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      this.#isUnstored = true;
    }
  }

  #writeDelta(held: Held, message: DeltaMessage): void {
    const line = `${JSON.stringify(message)}\n`;
    const bytes = this.#journalBytes + Buffer.byteLength(line);
    if (bytes > Math.max(agentJournalBytesMin, this.#snapshotBytes)) return this.#writeSnapshot(held);
    this.#folder.append(journalFile, line);
    this.#journalBytes = bytes;
  }

  #writeSnapshot(held: Held): void {
    const unsupported = this.#unsupported.values();
    const { revision, hash } = held;
    const text = formatStored({ revision, hash }, { known: held.entries.values(), unsupported });
    this.#folder.write(snapshotFile, text);
    // A journal left over by a crash here names bases older than the snapshot and is passed over when read.
    this.#folder.remove(journalFile);
    this.#snapshotBytes = Buffer.byteLength(text);
    this.#journalBytes = 0;
    this.#isUnstored = false;
  }

  #load(): void {
    const text = this.#folder.read(snapshotFile);
    const stored = readStored(text ?? '');
    if (stored === null) return;
    const { revision, hash, known, unsupported } = stored;
    const digest = addDigests(documentDigest(known), unsupportedDigest(unsupported));
    if (formatDigest(digest) !== hash) return;
    this.#hold({ held: { revision, hash, entries: byKey(known) }, unsupported, digest });
    this.#snapshotBytes = Buffer.byteLength(text ?? '');
    this.#replayJournal();
    // Deltas of this form do not follow a snapshot of another one; `store` brings it to this one.
    if (stored.version !== storedVersion) this.#isUnstored = true;
  }

  /** Takes the deltas in order up to the first that is torn or does not fit, and cuts the rest off. */
  #replayJournal(): void {
    const journal = this.#folder.read(journalFile);
    if (journal === null) return;
    for (const line of journal.split('\n').slice(0, -1)) {
      const delta = readStoredDelta(line);
      const merged = delta === null ? 'torn' : this.#merge(delta);
      if (typeof merged === 'string') break;
      this.#hold(merged);
      this.#journalBytes += Buffer.byteLength(line) + 1;
    }
    if (this.#journalBytes === 0) this.#folder.remove(journalFile);
    else if (this.#journalBytes < Buffer.byteLength(journal))
      this.#folder.cut(journalFile, this.#journalBytes);
  }
}

function byKey(values: readonly EntryValue[]): Map<string, EntryValue> {
  return new Map(values.map((value) => [entryKey(value), value]));
}
