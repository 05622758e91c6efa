// What differs of an interface's addresses, MTU and state: its own addresses, those at which probes are answered, and
// the virtual ones that the node holds.
import { familyOf } from '@powernode/core/net/address';
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { type WantedInterface, wantedInterfaces } from '../links/plan.ts';
import { type PlanInput, type PlannedSteps, touches } from '../subsystem.ts';
import { cappedMtu, noMtuCaps } from './mtu.ts';
import type { AddressStep } from './steps.ts';

export function planAddresses(input: PlanInput): PlannedSteps {
  const { document, scope, mtuCaps = noMtuCaps } = input;
  const isWhole = touches(scope, 'interface/', 'virtual_ip/');
  const apply = wantedInterfaces(input)
    .filter(({ alive }) => alive === undefined || isWhole)
    .flatMap((one) => planInterface(one, { document, mtu: cappedMtu(one.entry, mtuCaps) }));
  return { apply };
}

function planInterface(
  { entry, alive }: WantedInterface,
  { document, mtu }: { readonly document: NodeDocument; readonly mtu: number },
): AddressStep[] {
  const steps: AddressStep[] = [];
  const { name } = entry;
  const addresses = addressesOn(entry, document);
  for (const address of alive?.addresses ?? []) {
    if (!addresses.has(address)) steps.push({ kind: 'remove_address', interface: name, address });
  }
  for (const [address, { isLeased }] of addresses) {
    if (alive?.addresses.includes(address)) continue;
    steps.push({ kind: 'add_address', interface: name, address, isLeased });
  }
  if (alive === undefined || !alive.up || alive.mtu !== mtu) steps.push({ kind: 'set_link', name, mtu });
  return steps;
}

interface Wanted {
  /** Only to be answered for during its lease. */
  readonly isLeased: boolean;
}

/** All that an interface is to have, with their length. */
function addressesOn(wanted: InterfaceEntry, document: NodeDocument): ReadonlyMap<string, Wanted> {
  const own = [...wanted.addresses, ...wanted.probe_addresses];
  // The kernel takes IPv4 packets by an interface without any IPv4 address only when it filters by the way back
  // nowhere at all. A hub's answers come by whichever interface they like, so each has the node's address.
  if (wanted.purpose === 'transit') own.push(...ipv4Of(wanted.network_id, document));
  const addresses = new Map<string, Wanted>(own.map((address) => [address, { isLeased: false }]));
  for (const { addresses: virtual, lease } of document.onInterface('virtual_ip', wanted.name)) {
    for (const address of virtual) addresses.set(address, { isLeased: lease !== null });
  }
  return addresses;
}

function ipv4Of(networkId: string, document: NodeDocument): readonly string[] {
  const leaf = document.inNetwork('interface', networkId).find((one) => one.purpose === 'leaf');
  return leaf?.addresses.filter((address) => familyOf(address) === 4) ?? [];
}
