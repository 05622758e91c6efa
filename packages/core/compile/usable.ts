// The part of a document that its node can use. What all nodes of a class have alike is compiled for all of them, so a
// node that was refused an address of its network's IPv4 leg has entries for it that only the others can use.
import { familyOf } from '../net/address.ts';
import type { EntryValue } from '../wire/document.ts';

/** The same map when all of it can be used. */
export function usableEntries(entries: ReadonlyMap<string, EntryValue>): ReadonlyMap<string, EntryValue> {
  const without = networksWithoutIpv4(entries.values());
  if (without.size === 0) return entries;
  const usable = new Map<string, EntryValue>();
  let isWhole = true;
  for (const [key, entry] of entries) {
    const used = without.has(networkOf(entry)) ? withoutIpv4(entry) : entry;
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

function networkOf(entry: EntryValue): string {
  return 'network_id' in entry ? entry.network_id : '';
}

/**
 * What would lead IPv4 packets into the overlay, or answer for an IPv4 address of it, is left out. AllowedIPs and rules
 * stay: they let something in or keep it out, and lead nothing anywhere.
 */
function withoutIpv4(entry: EntryValue): EntryValue | null {
  switch (entry.kind) {
    case 'route':
      return familyOf(entry.destination) === 4 ? null : entry;
    case 'port_mapping':
      return familyOf(entry.target_address) === 4 ? null : entry;
    case 'virtual_ip': {
      const addresses = entry.addresses.filter((address) => familyOf(address) === 6);
      if (addresses.length === entry.addresses.length) return entry;
      return addresses.length === 0 ? null : { ...entry, addresses };
    }
    case 'anycast': {
      const destinations = entry.destinations.filter((destination) => familyOf(destination) === 6);
      if (destinations.length === entry.destinations.length) return entry;
      return destinations.length === 0 ? null : { ...entry, destinations };
    }
    case 'anycast_holder': {
      const destinations = entry.destinations.filter((destination) => familyOf(destination) === 6);
      if (destinations.length === entry.destinations.length) return entry;
      return destinations.length === 0 ? null : { ...entry, destinations };
    }
    default:
      return entry;
  }
}
