// The document that this machine holds, on disk and in memory: a snapshot, and a journal of the deltas since.
// One delta costs as much as it is long, whatever the size of the document. Nothing here touches the machine.
import {
  addDigests,
  documentDigest,
  entryDigest,
  formatDigest,
  subtractDigests,
} from '@powernode/core/compile/digest';
import { applyPatch } from '@powernode/core/compile/patch';
import { agentJournalBytesMin } from '@powernode/core/limits';
import { type EntryValue, entryKey } from '@powernode/core/wire/document';
import type { DeltaMessage, DocumentMessage } from '@powernode/core/wire/node-stream';
import * as wire from '@powernode/core/wire/node-stream';
import type { StateFolder } from './folder.ts';

const snapshotFile = 'document.json';
const journalFile = 'document.journal';
const appliedFile = 'applied.json';

/** A document, immutable: whoever holds a reference sees one revision. */
export interface Held {
  readonly revision: number;
  readonly hash: string;
  readonly entries: ReadonlyMap<string, EntryValue>;
}

/** What a message did: a new document with the keys that differ, nothing, or the wish to get it whole. */
export type Taken =
  | { readonly kind: 'changed'; readonly held: Held; readonly keys: ReadonlySet<string> | 'all' }
  | { readonly kind: 'same'; readonly held: Held }
  | { readonly kind: 'resync'; readonly why: string };

export class HeldDocument {
  readonly #folder: StateFolder;
  #held: Held | null = null;
  #digest = 0n;
  #snapshotBytes = 0;
  #journalBytes = 0;

  constructor(folder: StateFolder) {
    this.#folder = folder;
    this.#load();
  }

  get current(): Held | null {
    return this.#held;
  }

  /** Replaces what is held. Durable when it returns; refused when the content is not what its hash says. */
  takeDocument(message: DocumentMessage): Taken {
    const digest = documentDigest(message.entries);
    if (formatDigest(digest) !== message.hash)
      return { kind: 'resync', why: 'the document does not have its hash' };
    const entries = new Map(message.entries.map((value) => [entryKey(value), value]));
    this.#writeSnapshot({ revision: message.revision, hash: message.hash, entries });
    this.#digest = digest;
    return { kind: 'changed', held: this.#require(), keys: 'all' };
  }

  /** Adds a delta to what is held. Durable when it returns. */
  takeDelta(message: DeltaMessage): Taken {
    const merged = this.#merge(message);
    if (typeof merged === 'string') return { kind: 'resync', why: merged };
    const line = `${JSON.stringify(message)}\n`;
    const bytes = this.#journalBytes + Buffer.byteLength(line);
    if (bytes > Math.max(agentJournalBytesMin, this.#snapshotBytes)) {
      this.#writeSnapshot(merged.held);
    } else {
      this.#folder.append(journalFile, line);
      this.#held = merged.held;
      this.#journalBytes = bytes;
    }
    this.#digest = merged.digest;
    return {
      kind: 'changed',
      held: merged.held,
      keys: new Set([...message.remove, ...message.set.map(entryKey)]),
    };
  }

  /** The platform says that what is held is the newest, perhaps under a later revision. */
  takeCurrent(message: { readonly revision: number; readonly hash: string }): Taken {
    const held = this.#held;
    if (held === null || held.hash !== message.hash)
      return { kind: 'resync', why: 'another document is current' };
    if (held.revision === message.revision) return { kind: 'same', held };
    return this.takeDelta({ kind: 'delta', base: held.revision, ...message, set: [], remove: [] });
  }

  /** Forgets everything: an empty document in its place, which no revision of the platform has. */
  clear(): Held {
    const empty: Held = { revision: 0, hash: formatDigest(0n), entries: new Map() };
    this.#writeSnapshot(empty);
    this.#digest = 0n;
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

  #merge(message: DeltaMessage): { held: Held; digest: bigint } | string {
    const held = this.#held;
    if (held === null) return 'a delta without a document';
    if (message.base !== held.revision)
      return `a delta of revision ${message.base}, but ${held.revision} is held`;
    let digest = this.#digest;
    const touched = new Set([...message.remove, ...message.set.map(entryKey)]);
    for (const key of touched) {
      const before = held.entries.get(key);
      if (before !== undefined) digest = subtractDigests(digest, entryDigest(before));
    }
    const entries = applyPatch(held.entries, message);
    for (const key of touched) {
      const after = entries.get(key);
      if (after !== undefined) digest = addDigests(digest, entryDigest(after));
    }
    if (formatDigest(digest) !== message.hash) return 'the delta does not give the hash that it names';
    return { held: { revision: message.revision, hash: message.hash, entries }, digest };
  }

  #writeSnapshot(held: Held): void {
    const entries = [...held.entries.values()];
    const text = JSON.stringify({ kind: 'document', revision: held.revision, hash: held.hash, entries });
    this.#folder.write(snapshotFile, text);
    // A journal left over by a crash here names bases older than the snapshot and is passed over when read.
    this.#folder.remove(journalFile);
    this.#held = held;
    this.#snapshotBytes = Buffer.byteLength(text);
    this.#journalBytes = 0;
  }

  #load(): void {
    const text = this.#folder.read(snapshotFile);
    const snapshot = wire.document.safeParse(parseJson(text ?? ''));
    if (!snapshot.success) return;
    const { revision, hash, entries } = snapshot.data;
    const digest = documentDigest(entries);
    if (formatDigest(digest) !== hash) return;
    this.#held = { revision, hash, entries: new Map(entries.map((value) => [entryKey(value), value])) };
    this.#digest = digest;
    this.#snapshotBytes = Buffer.byteLength(text ?? '');
    this.#replayJournal();
  }

  /** Takes the deltas in order up to the first that is torn or does not fit, and cuts the rest off. */
  #replayJournal(): void {
    const journal = this.#folder.read(journalFile);
    if (journal === null) return;
    for (const line of journal.split('\n').slice(0, -1)) {
      const delta = wire.delta.safeParse(parseJson(line));
      const merged = delta.success ? this.#merge(delta.data) : 'torn';
      if (typeof merged === 'string') break;
      this.#held = merged.held;
      this.#digest = merged.digest;
      this.#journalBytes += Buffer.byteLength(line) + 1;
    }
    if (this.#journalBytes === 0) this.#folder.remove(journalFile);
    else if (this.#journalBytes < Buffer.byteLength(journal))
      this.#folder.cut(journalFile, this.#journalBytes);
  }

  #require(): Held {
    if (this.#held === null) throw new Error('a document was taken but is not held');
    return this.#held;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
