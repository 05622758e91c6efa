// Port mappings: an address and a port of a hub that lead to a peer or a virtual IP.
import { familyOf } from '../../net/address.ts';
import type { EntryValue, PortMappingEntry } from '../../wire/document.ts';
import { hostAddressesOf } from '../entries.ts';
import { unaffected } from '../entry-kind.ts';
import type { PortMappingModel } from '../model.ts';
import { addedIsNotApplied, fieldsOf } from '../take-back.ts';
import {
  type ItemContribution,
  type ItemKind,
  type Lookup,
  type MissingTarget,
  noContribution,
} from './kind.ts';
import { canBeHeld } from './virtual-ip.ts';

type Objects = Pick<Lookup, 'peer' | 'item'>;

/** Which sources it admits, and how many, stays as narrow as a change made it. */
const leading = [
  'external_address',
  'external_port',
  'protocol',
  'target_address',
  'target_port',
  'source_address',
] as const;

export const portMapping = {
  contribution: portMappingContribution,
  missingTarget,
  entryKinds: {
    port_mapping: {
      ...unaffected,
      describe,
      rollBack: {
        added: addedIsNotApplied.added,
        changed: (key, change) => fieldsOf(key, change, leading),
      },
      withoutIpv4: (entry) => (familyOf(entry.target_address) === 4 ? null : entry),
    },
  },
} satisfies ItemKind<PortMappingModel>;

function portMappingContribution(item: PortMappingModel, lookup: Lookup): ItemContribution {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined || hub.hubSlot === null) return noContribution;
  const family = familyOf(item.externalAddress);
  const ofFamily = (addresses: readonly string[]) => addresses.find((one) => familyOf(one) === family);
  const target = ofFamily(targetAddresses(item, lookup) ?? []);
  const source = ofFamily(hostAddressesOf(hub));
  if (target === undefined || source === undefined) return noContribution;
  const entry: EntryValue = {
    kind: 'port_mapping',
    network_id: item.networkId,
    port_mapping_id: item.id,
    external_address: item.externalAddress,
    external_port: item.externalPort,
    protocol: item.protocol,
    target_address: target,
    target_port: item.targetPort,
    source_cidrs: [...item.sourceCidrs],
    rate_limit: item.rateLimit,
    max_connections: item.maxConnections,
    source_address: source,
  };
  return { all: [], peers: new Map([[hub.id, [entry]]]) };
}

/** null: the target is gone. */
function targetAddresses({ target }: PortMappingModel, lookup: Objects): readonly string[] | null {
  if (target.kind === 'peer') {
    const peer = lookup.peer(target.id);
    return peer === undefined ? null : hostAddressesOf(peer);
  }
  const virtualIp = lookup.item(target.id);
  return virtualIp?.type === 'virtual_ip' ? virtualIp.addresses : null;
}

function missingTarget(item: PortMappingModel, lookup: Objects): MissingTarget | null {
  const why = whyClosed(item, lookup);
  return why === null ? null : { type: item.type, why };
}

/** null: it leads somewhere. */
function whyClosed(item: PortMappingModel, lookup: Objects): string | null {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined)
    return 'Its hub has left the network, so no instance serves it. Delete it, or create it on another hub.';
  if (hub.hubSlot === null)
    return 'Its peer is no longer a hub, so no instance serves it. Make the peer a hub, or delete the port mapping.';
  const targets = targetAddresses(item, lookup);
  if (targets === null) return 'Its target was deleted. Give it another target, or delete it.';
  const family = familyOf(item.externalAddress);
  const hasFamily = (addresses: readonly string[]) => addresses.some((one) => familyOf(one) === family);
  if (!hasFamily(targets) || !hasFamily(hostAddressesOf(hub))) {
    return `Its external address is IPv${family}, and its target or its hub has no such address. Give the network an ipv4_prefix, or the port mapping an IPv6 address.`;
  }
  if (item.target.kind === 'virtual_ip' && !canBeHeld(lookup.item(item.target.id), lookup)) {
    return 'Its target is a virtual IP that no peer can hold. Give the virtual IP a holder in the network.';
  }
  return null;
}

function describe(entry: PortMappingEntry): string {
  const from = `${entry.protocol} port ${entry.external_port} of ${entry.external_address}`;
  const allowed = entry.source_cidrs.join(', ') || 'everywhere';
  return `open ${from} to ${entry.target_address}, port ${entry.target_port}, for callers from ${allowed}`;
}
