// A document as it is on disk: with the version of its form, which older ones are brought to when they are read, so that
// an upgraded agent starts from its disk without its platform. Nothing of it is dropped: what this agent cannot read, of
// a later agent before it, is kept and not applied.
import { keyedDigest } from '@powernode/core/compile/digest';
import { parseJson } from '@powernode/core/json';
import { entriesPerDocumentMax, revisionMax, storedVersionMax } from '@powernode/core/limits/texts';
import {
  type EntryValue,
  entryKey,
  isKnownEntry,
  type SentEntry,
  sentEntry,
} from '@powernode/core/wire/document';
import { hash, key } from '@powernode/core/wire/texts';
import { z } from 'zod';

/** 1: the frame of the platform as it came. 2 (2026-11-30): says its version. */
export const storedVersion = 2;

/** What leads from each version to the next; the first is that of version 1. */
const migrations: readonly ((stored: object) => object)[] = [(stored) => ({ ...stored, version: 2 })];

/** Entries that this agent knows, and those that it does not: as they came, by key. */
export interface SplitEntries {
  readonly known: readonly EntryValue[];
  readonly unsupported: ReadonlyMap<string, unknown>;
}

export interface StoredDocument extends SplitEntries {
  /** In which it was written. */
  readonly version: number;
  readonly revision: number;
  readonly hash: string;
}

export interface StoredDelta extends SplitEntries {
  readonly base: number;
  readonly revision: number;
  readonly hash: string;
  readonly remove: readonly string[];
}

const revision = z.int().min(0).max(revisionMax);
const entries = z.array(z.unknown()).max(entriesPerDocumentMax);
const versioned = z.looseObject({ version: z.int().min(1).max(storedVersionMax).default(1) });
const document = z.object({ version: z.int(), revision, hash, entries });
const delta = z.object({
  base: revision,
  revision,
  hash,
  set: entries,
  remove: z.array(key).max(entriesPerDocumentMax),
});

export function formatStored(
  at: { readonly revision: number; readonly hash: string },
  { known, unsupported }: { readonly known: Iterable<EntryValue>; readonly unsupported: Iterable<unknown> },
): string {
  return JSON.stringify({ version: storedVersion, ...at, entries: [...known, ...unsupported] });
}

/** null: there is none that can be used. */
export function readStored(text: string): StoredDocument | null {
  const found = versioned.safeParse(parseJson(text));
  if (!found.success) return null;
  const { version } = found.data;
  let stored: object = found.data;
  for (const migrate of migrations.slice(version - 1)) stored = migrate(stored);
  const parsed = document.safeParse(stored);
  if (!parsed.success) return null;
  const split = splitStored(parsed.data.entries);
  return split === null
    ? null
    : { ...split, version, revision: parsed.data.revision, hash: parsed.data.hash };
}

/** One line of the journal. */
export function readStoredDelta(line: string): StoredDelta | null {
  const parsed = delta.safeParse(parseJson(line));
  const split = parsed.success ? splitStored(parsed.data.set) : null;
  if (!parsed.success || split === null) return null;
  const { base, revision: to, hash: named, remove } = parsed.data;
  return { ...split, base, revision: to, hash: named, remove };
}

/** As they come over the stream, where an entry of a known kind is one that can be read. */
export function splitSent(values: readonly SentEntry[]): SplitEntries {
  const unknown = values.flatMap((value): [string, unknown][] =>
    isKnownEntry(value) ? [] : [[value.key, value]],
  );
  return { known: values.filter(isKnownEntry), unsupported: new Map(unknown) };
}

export function unsupportedDigest(unsupported: Iterable<readonly [string, unknown]>): bigint {
  let sum = 0n;
  for (const [own, value] of unsupported) sum += keyedDigest(own, value);
  return BigInt.asUintN(128, sum);
}

/** null: an entry has no key, so that nothing can be done with it. Whether the keys are right is told by the hash. */
function splitStored(values: readonly unknown[]): SplitEntries | null {
  const known: EntryValue[] = [];
  const unsupported = new Map<string, unknown>();
  for (const value of values) {
    const entry = sentEntry.safeParse(value).data;
    if (entry !== undefined && isKnownEntry(entry)) {
      known.push(entry);
      continue;
    }
    const own = entry?.key ?? keyOf(value);
    if (own === null) return null;
    unsupported.set(own, value);
  }
  return { known, unsupported };
}

/** Of an entry that a later agent could read. */
function keyOf(value: unknown): string | null {
  try {
    return key.safeParse(entryKey(value as EntryValue)).data ?? null;
  } catch {
    return null;
  }
}
