// Test support: documents of nodes made from lists of entries.
import { type EntryValue, entryKey } from './document.ts';
import { NodeDocument } from './node-document.ts';

export function nodeDocumentOf(...lists: readonly (readonly EntryValue[])[]): NodeDocument {
  return NodeDocument.of(new Map(lists.flat().map((entry) => [entryKey(entry), entry])));
}
