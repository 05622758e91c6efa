// Port mappings: an address and a port of a hub that lead to a peer or a virtual IP.
import { familyOf } from '../../net/address.ts';
import type { EntryValue, PortMappingEntry } from '../../wire/document.ts';
import { hostAddressesOf } from '../entries.ts';
import type { PortMappingModel } from '../model.ts';
import { type ItemContribution, type ItemKind, type Lookup, noContribution } from './kind.ts';

export const portMapping = {
  contribution: portMappingContribution,
  descriptions: { port_mapping: describe },
} satisfies ItemKind<PortMappingModel>;

function portMappingContribution(item: PortMappingModel, lookup: Lookup): ItemContribution {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined || hub.hubSlot === null) return noContribution;
  const family = familyOf(item.externalAddress);
  const ofFamily = (addresses: readonly string[]) => addresses.find((one) => familyOf(one) === family);
  const target = ofFamily(targetAddresses(item, lookup));
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

function targetAddresses(item: PortMappingModel, lookup: Lookup): readonly string[] {
  if (item.target.kind === 'peer') {
    const peer = lookup.peer(item.target.id);
    return peer === undefined ? [] : hostAddressesOf(peer);
  }
  const virtualIp = lookup.item(item.target.id);
  return virtualIp?.type === 'virtual_ip' ? virtualIp.addresses : [];
}

function describe(entry: PortMappingEntry): string {
  const from = `${entry.protocol} port ${entry.external_port} of ${entry.external_address}`;
  const allowed = entry.source_cidrs.join(', ') || 'everywhere';
  return `open ${from} to ${entry.target_address}, port ${entry.target_port}, for callers from ${allowed}`;
}
