// Doors and virtual IPs that lead nowhere, because what they name is gone.
import { hostAddressesOf } from '../compile/entries.ts';
import type { PortMappingModel, VirtualIpModel } from '../compile/model.ts';
import { familyOf } from '../net/address.ts';
import type { AuditedNetwork } from './dead-sides.ts';
import type { Audited, Finding } from './findings.ts';

export function auditTargets(network: AuditedNetwork): Finding[] {
  const findings: Finding[] = [];
  for (const item of network.items()) {
    const why =
      item.type === 'port_mapping'
        ? whyClosed(item, network)
        : item.type === 'virtual_ip'
          ? whyUnheld(item, network)
          : null;
    if (why === null) continue;
    const object: Audited = {
      type: item.type === 'port_mapping' ? 'port_mapping' : 'virtual_ip',
      id: item.id,
    };
    findings.push({ kind: 'target_missing', severity: 'error', object, by: null, detail: () => why });
  }
  return findings;
}

/** null: the door leads somewhere. */
function whyClosed(door: PortMappingModel, network: AuditedNetwork): string | null {
  const hub = network.peer(door.hubPeerId);
  if (hub === undefined)
    return 'Its hub has left the network, so no instance serves it. Delete it, or create it on another hub.';
  if (hub.hubSlot === null)
    return 'Its peer is no longer a hub, so no instance serves it. Make the peer a hub, or delete the port mapping.';
  const targets = targetAddresses(door, network);
  if (targets === null) return 'Its target was deleted. Give it another target, or delete it.';
  const family = familyOf(door.externalAddress);
  const hasFamily = (addresses: readonly string[]) => addresses.some((one) => familyOf(one) === family);
  if (!hasFamily(targets) || !hasFamily(hostAddressesOf(hub))) {
    return `Its external address is IPv${family}, and its target or its hub has no such address. Give the network an ipv4_prefix, or the port mapping an IPv6 address.`;
  }
  if (door.target.kind === 'virtual_ip' && !isHeld(network.item(door.target.id), network)) {
    return 'Its target is a virtual IP that no peer can hold. Give the virtual IP a holder in the network.';
  }
  return null;
}

function targetAddresses({ target }: PortMappingModel, network: AuditedNetwork): readonly string[] | null {
  if (target.kind === 'peer') {
    const peer = network.peer(target.id);
    return peer === undefined ? null : hostAddressesOf(peer);
  }
  const item = network.item(target.id);
  return item?.type === 'virtual_ip' ? item.addresses : null;
}

function whyUnheld(item: VirtualIpModel, network: AuditedNetwork): string | null {
  return isHeld(item, network)
    ? null
    : 'All of its candidates have left the network. Give it another holder, or delete it.';
}

function isHeld(item: ReturnType<AuditedNetwork['item']>, network: AuditedNetwork): boolean {
  if (item?.type !== 'virtual_ip') return false;
  return item.candidates.some((id) => network.peer(id) !== undefined);
}
