// The part of a document that its node can use. What all nodes of a class have alike is compiled for all of them, so a
// node that was refused an address of its network's IPv4 prefix has entries for it that only the others can use.
import { familyOf } from '../net/address.ts';
import type { EntryValue } from '../wire/document.ts';
import { traitsOf } from './entry-kinds.ts';

/** The same map when all of it can be used. */
export function usableEntries(entries: ReadonlyMap<string, EntryValue>): ReadonlyMap<string, EntryValue> {
  const without = networksWithoutIpv4(entries.values());
  if (without.size === 0) return entries;
  const usable = new Map<string, EntryValue>();
  let isWhole = true;
  for (const [key, entry] of entries) {
    const isWithout = 'network_id' in entry && without.has(entry.network_id);
    const used = isWithout ? traitsOf(entry).withoutIpv4(entry) : entry;
    if (used !== entry) isWhole = false;
    if (used !== null) usable.set(key, used);
  }
  return isWhole ? entries : usable;
}

/** Networks in which the node has no IPv4 address. */
function networksWithoutIpv4(entries: Iterable<EntryValue>): Set<string> {
  const found = new Set<string>();
  for (const entry of entries) {
    if (entry.kind !== 'interface' || entry.purpose !== 'leaf') continue;
    if (!entry.addresses.some((address) => familyOf(address) === 4)) found.add(entry.network_id);
  }
  return found;
}
