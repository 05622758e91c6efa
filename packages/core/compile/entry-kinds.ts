// Every kind of entry that a node's document may have. Plans, nodes without IPv4 and roll-backs ask an entry by these
// functions and know no kind of it.
import type { EntryValue } from '../wire/document.ts';
import type { EntryKindTable, EntryKindTraits } from './entry-kind.ts';
import { itemEntryKinds } from './items/index.ts';
import { networkEntryKinds } from './network-entry-kinds.ts';

const kinds: EntryKindTable = { ...networkEntryKinds, ...itemEntryKinds };

/** The traits take exactly the entries of their kind. */
export function traitsOf(entry: EntryValue): EntryKindTraits<EntryValue> {
  return kinds[entry.kind];
}

/** What an entry means, in one plain sentence: for dry runs, which show what a change would do. */
export function describeEntry(entry: EntryValue): string {
  return traitsOf(entry).describe(entry);
}
