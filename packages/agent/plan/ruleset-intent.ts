// The entries of a document that the table of rules follows from, beside those of firewalls (core/compile/firewall).
import { familyOf } from '@powernode/core/net/address';
import type {
  EntryValue,
  ForwardingEntry,
  InterfaceEntry,
  PortMappingEntry,
  VirtualIpEntry,
} from '@powernode/core/wire/document';

export interface RulesetIntent {
  readonly interfaces: readonly InterfaceEntry[];
  readonly forwarding: readonly ForwardingEntry[];
  readonly mappings: readonly PortMappingEntry[];
  readonly virtualIps: readonly VirtualIpEntry[];
}

export function rulesetIntentOf(entries: Iterable<EntryValue>): RulesetIntent {
  const interfaces: InterfaceEntry[] = [];
  const forwarding: ForwardingEntry[] = [];
  const mappings: PortMappingEntry[] = [];
  const virtualIps: VirtualIpEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === 'interface') interfaces.push(entry);
    else if (entry.kind === 'forwarding') forwarding.push(entry);
    else if (entry.kind === 'port_mapping') mappings.push(entry);
    else if (entry.kind === 'virtual_ip') virtualIps.push(entry);
  }
  forwarding.sort((a, b) => (a.handle < b.handle ? -1 : 1));
  mappings.sort((a, b) => (a.port_mapping_id < b.port_mapping_id ? -1 : 1));
  return { interfaces, forwarding, mappings, virtualIps };
}

export interface ByFamily {
  readonly ipv6: boolean;
  readonly ipv4: boolean;
}

/** Which families the machine has to forward. */
export function forwardedFamilies({ forwarding, interfaces }: RulesetIntent): ByFamily {
  const forwards = (one: InterfaceEntry) => forwarding.some((entry) => entry.network_id === one.network_id);
  const hasIpv4 = (one: InterfaceEntry) => one.addresses.some((address) => familyOf(address) === 4);
  return {
    ipv6: forwarding.length > 0,
    ipv4: interfaces.some((one) => forwards(one) && hasIpv4(one)),
  };
}
