// Port mappings as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { PortMappingModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type PortMappingRow = Selectable<Database['port_mappings']>;

/** A port mapping leads to a peer or to a virtual IP; the table's writer sees to that. */
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

/** Of all networks that the transaction sees. */
export async function loadPortMappings(trx: Transaction<Database>): Promise<PortMappingModel[]> {
  const rows = await trx.selectFrom('port_mappings').selectAll().orderBy('id').execute();
  return rows.map(portMappingModel);
}
