// The guard of virtual addresses: one that is leased is only answered for while somebody keeps it in the set of those
// that are held. The sets of what is held are filled, and refreshed many times a second, by the prober (elements that
// nobody refreshes end by themselves, in the kernel). So an address is let go of in time even when the agent is dead.
import { familyOf, withoutLength } from '@powernode/core/net/address';
import type { VirtualIpEntry } from '@powernode/core/wire/document';
import { families, words } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

export const activeLeaseSets = { 6: 'pn_active_leases6', 4: 'pn_active_leases4' } as const;
export const virtualSets = { 6: 'pn_virtual6', 4: 'pn_virtual4' } as const;

export function addLeaseGuardChains(
  table: TableBuilder,
  facts: { readonly virtualIps: readonly VirtualIpEntry[]; readonly guarded: readonly string[] },
): void {
  const leased = new Set([...leasedAddresses(facts.virtualIps), ...facts.guarded]);
  for (const family of families) {
    const type = words[family].address;
    table.add({
      name: activeLeaseSets[family],
      kind: 'set',
      type,
      data: null,
      flags: 'timeout',
      counted: false,
      elements: null,
    });
    const own = [...leased].filter((address) => familyOf(address) === family);
    table.set(virtualSets[family], type, own);
  }
  if (leased.size === 0) return;
  const unheld = (field: 'saddr' | 'daddr') =>
    families.map((family) => {
      const at = `${words[family].header} ${field}`;
      return `${at} @${virtualSets[family]} ${at} != @${activeLeaseSets[family]} drop`;
    });
  // Before anything is tracked or translated; what is translated to such an address is met on its way in.
  table.chain('pn_lease_arriving', unheld('daddr'), 'filter hook prerouting priority -300');
  table.chain('pn_lease_input', unheld('daddr'), 'filter hook input priority -10');
  // Connections of before, which would go on speaking from an address that is somebody else's by now.
  table.chain('pn_lease_leaving', unheld('saddr'), 'filter hook output priority -300');
}

/** Without length. */
export function leasedAddresses(virtualIps: readonly VirtualIpEntry[]): string[] {
  return virtualIps.filter((one) => one.lease !== null).flatMap(addressesOf);
}

export function addressesOf(entry: Pick<VirtualIpEntry, 'addresses'>): string[] {
  return entry.addresses.map(withoutLength);
}
