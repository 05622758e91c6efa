// Virtual IPs as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { VirtualIpModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type VirtualIpRow = Selectable<Database['virtual_ips']>;

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
    ...(row.health_check === null ? {} : { healthCheck: row.health_check }),
  };
}

/** Of all networks that the transaction sees. */
export async function loadVirtualIps(trx: Transaction<Database>): Promise<VirtualIpModel[]> {
  const rows = await trx.selectFrom('virtual_ips').selectAll().orderBy('id').execute();
  return rows.map(virtualIpModel);
}
