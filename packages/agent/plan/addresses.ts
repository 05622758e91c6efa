// What differs of an interface's addresses, MTU and state: its own addresses, those at which probes are answered, and
// the virtual ones that the node holds.
import { familyOf } from '@powernode/core/net/address';
import type { EntryValue, InterfaceEntry } from '@powernode/core/wire/document';
import type { SeenInterface } from './seen.ts';
import type { Step } from './step.ts';

export function planAddresses(
  wanted: InterfaceEntry,
  alive: SeenInterface | undefined,
  lookup: AddressLookup,
): Step[] {
  const steps: Step[] = [];
  const name = wanted.name;
  const addresses = lookup.of(wanted);
  for (const address of alive?.addresses ?? []) {
    if (!addresses.has(address)) steps.push({ kind: 'remove_address', interface: name, address });
  }
  for (const [address, { isLeased }] of addresses) {
    if (alive?.addresses.includes(address)) continue;
    steps.push({ kind: 'add_address', interface: name, address, isLeased });
  }
  if (alive === undefined || !alive.up || alive.mtu !== wanted.mtu) {
    steps.push({ kind: 'set_link', name, mtu: wanted.mtu });
  }
  return steps;
}

interface Wanted {
  /** Only to be answered for during its lease. */
  readonly isLeased: boolean;
}

/** The addresses of interfaces, sorted out of the document when somebody asks. */
export class AddressLookup {
  readonly #entries: ReadonlyMap<string, EntryValue>;
  #virtual: Map<string, Map<string, Wanted>> | undefined;
  #ipv4: Map<string, string[]> | undefined;

  constructor(entries: ReadonlyMap<string, EntryValue>) {
    this.#entries = entries;
  }

  /** With their length. */
  of(wanted: InterfaceEntry): ReadonlyMap<string, Wanted> {
    const own = [...wanted.addresses, ...wanted.probe_addresses];
    // The kernel takes IPv4 packets by an interface without any IPv4 address only when it filters by the way back
    // nowhere at all. A hub's answers come by whichever interface they like, so each has the node's address.
    if (wanted.purpose === 'transit') own.push(...this.#ipv4Of(wanted.network_id));
    const addresses = new Map<string, Wanted>(own.map((address) => [address, { isLeased: false }]));
    for (const [address, how] of this.#virtualOn(wanted.name)) addresses.set(address, how);
    return addresses;
  }

  #ipv4Of(networkId: string): readonly string[] {
    if (this.#ipv4 === undefined) {
      this.#ipv4 = new Map();
      for (const entry of this.#entries.values()) {
        if (entry.kind !== 'interface' || entry.purpose !== 'leaf') continue;
        const addresses = entry.addresses.filter((address) => familyOf(address) === 4);
        this.#ipv4.set(entry.network_id, addresses);
      }
    }
    return this.#ipv4.get(networkId) ?? [];
  }

  #virtualOn(name: string): ReadonlyMap<string, Wanted> {
    if (this.#virtual === undefined) {
      this.#virtual = new Map();
      for (const entry of this.#entries.values()) {
        if (entry.kind !== 'virtual_ip') continue;
        const addresses = this.#virtual.get(entry.interface) ?? new Map<string, Wanted>();
        for (const address of entry.addresses) addresses.set(address, { isLeased: entry.lease !== null });
        this.#virtual.set(entry.interface, addresses);
      }
    }
    return this.#virtual.get(name) ?? new Map();
  }
}
