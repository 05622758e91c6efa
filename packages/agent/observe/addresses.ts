// Addresses of this machine outside overlays: where others might be able to call it.
import { networkInterfaces } from 'node:os';
import { agentAddressesMax } from '@powernode/core/limits/agent';
import { canonicalAddress, type Family } from '@powernode/core/net/address';
import { isInterfaceName } from '../subsystems/links/names.ts';
import { reachableFamilies } from './families.ts';

/** What the hello says of them: addresses, and families by which other networks are reached. */
export function addressesAndFamilies(): { addresses: string[]; families: Family[] } {
  return { addresses: outsideAddresses(), families: reachableFamilies() };
}

export function outsideAddresses(): string[] {
  const found = new Set<string>();
  for (const [name, list] of Object.entries(networkInterfaces())) {
    if (isInterfaceName(name)) continue;
    for (const one of list ?? []) {
      if (one.internal || /^fe[89ab]/i.test(one.address) || one.address.startsWith('169.254.')) continue;
      const text = canonicalAddress(one.address);
      if (text !== null) found.add(text);
    }
  }
  return [...found].sort().slice(0, agentAddressesMax);
}
