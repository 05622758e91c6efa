// What a message of the platform changes in a document, as it was before.
import { canonicalJson } from '@powernode/core/compile/digest';
import type { Before, Entries } from '@powernode/core/compile/take-back';
import { type EntryValue, entryKey, isKnownEntry } from '@powernode/core/wire/document';
import type { DeltaMessage, DocumentMessage } from '@powernode/core/wire/node-stream';

/** Only what differs. */
export function beforeOf(was: Entries, message: DocumentMessage | DeltaMessage): Before {
  return message.kind === 'document' ? replaced(was, message) : changed(was, message);
}

function changed(was: Entries, message: DeltaMessage): Before {
  const before = new Map<string, EntryValue | null>();
  for (const value of message.set.filter(isKnownEntry))
    note(before, { key: entryKey(value), was, is: value });
  for (const key of message.remove) note(before, { key, was, is: null });
  return before;
}

/** Where a whole document differs from what was. */
function replaced(was: Entries, message: DocumentMessage): Before {
  const before = new Map<string, EntryValue | null>();
  const is = new Map(message.entries.filter(isKnownEntry).map((value) => [entryKey(value), value]));
  for (const [key, value] of is) note(before, { key, was, is: value });
  for (const key of was.keys()) if (!is.has(key)) note(before, { key, was, is: null });
  return before;
}

function note(
  before: Map<string, EntryValue | null>,
  { key, was, is }: { readonly key: string; readonly was: Entries; readonly is: EntryValue | null },
): void {
  const old = was.get(key) ?? null;
  if (canonicalJson(old) !== canonicalJson(is)) before.set(key, old);
}
