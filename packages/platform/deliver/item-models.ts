// From rows of a network's other objects to what the compiler reads. Whoever writes a change and whoever loads rows at
// a start use these, so that both mean the same.
import type {
  Item,
  PortMappingModel,
  RuleModel,
  UserDeviceModel,
  VirtualIpModel,
} from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../store/tables.ts';

export type RuleRow = Selectable<Database['firewall_rules']>;
export type VirtualIpRow = Selectable<Database['virtual_ips']>;
export type PortMappingRow = Selectable<Database['port_mappings']>;
export type UserDeviceRow = Selectable<Database['user_devices']>;

export function ruleModel(row: RuleRow): RuleModel {
  const { port_first: first, port_last: last } = row;
  return {
    type: 'firewall_rule',
    id: row.id,
    networkId: row.network_id,
    direction: row.direction,
    action: row.action,
    selector: row.selector,
    destination: row.destination,
    protocol: row.protocol,
    ports: first === null || last === null ? null : [first, last],
    enabled: row.enabled,
  };
}

/** In the operator's order. */
export function candidateIds(
  row: Pick<VirtualIpRow, 'primary_holder_peer_id' | 'failover_holder_peer_ids'>,
): string[] {
  return [row.primary_holder_peer_id, ...row.failover_holder_peer_ids];
}

export function virtualIpModel(row: VirtualIpRow): VirtualIpModel {
  return {
    type: 'virtual_ip',
    id: row.id,
    networkId: row.network_id,
    addresses: row.ipv4_address === null ? [row.address] : [row.address, row.ipv4_address],
    anycast: row.anycast,
    candidates: candidateIds(row),
    holder: row.current_holder_peer_id,
    epoch: row.epoch,
  };
}

/** A door leads to a peer or to a virtual IP; the table's writer sees to that. */
export function portMappingModel(row: PortMappingRow): PortMappingModel {
  const target =
    row.internal_virtual_ip_id === null
      ? { kind: 'peer' as const, id: row.internal_peer_id ?? '' }
      : { kind: 'virtual_ip' as const, id: row.internal_virtual_ip_id };
  return {
    type: 'port_mapping',
    id: row.id,
    networkId: row.network_id,
    hubPeerId: row.hub_peer_id,
    externalAddress: row.external_address,
    externalPort: row.external_port,
    protocol: row.protocol,
    target,
    targetPort: row.internal_port,
    sourceCidrs: row.source_cidrs,
    rateLimit: row.rate_limit,
    maxConnections: row.max_connections,
  };
}

/** null: it is shut out. */
export function userDeviceModel(row: UserDeviceRow): UserDeviceModel | null {
  if (row.revoked_at !== null) return null;
  return {
    type: 'user_device',
    id: row.id,
    networkId: row.network_id,
    publicKey: row.public_key,
    addresses: row.ipv4_address === null ? [row.host_address] : [row.host_address, row.ipv4_address],
    hubPeerId: row.hub_peer_id,
    tags: [...row.tags].sort(),
  };
}

/** The items of all networks that the transaction sees. */
export async function loadItems(trx: Transaction<Database>): Promise<Item[]> {
  const rules = await trx.selectFrom('firewall_rules').selectAll().orderBy('id').execute();
  const virtualIps = await trx.selectFrom('virtual_ips').selectAll().orderBy('id').execute();
  const mappings = await trx.selectFrom('port_mappings').selectAll().orderBy('id').execute();
  const devices = await trx
    .selectFrom('user_devices')
    .selectAll()
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  return [
    ...rules.map(ruleModel),
    ...virtualIps.map(virtualIpModel),
    ...mappings.map(portMappingModel),
    ...devices.flatMap((row) => userDeviceModel(row) ?? []),
  ];
}
