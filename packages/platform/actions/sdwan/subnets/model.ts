// Prefixes behind peers as rows, and what the compiler reads of them.
import type { SubnetModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type SubnetRow = Selectable<Database['subnet_advertisements']>;

/** null: it is withdrawn, and no node has anything because of it. */
export function subnetModel(row: SubnetRow): SubnetModel | null {
  if (row.withdrawn_at !== null) return null;
  return {
    type: 'subnet_advertisement',
    id: row.id,
    networkId: row.network_id,
    peerId: row.peer_id,
    prefix: row.prefix,
    localPrefix: row.local_prefix,
    preference: row.preference,
    sourceNat: row.source_nat,
  };
}

/** Of all networks that the transaction sees. */
export async function loadSubnets(trx: Transaction<Database>): Promise<SubnetModel[]> {
  const rows = await trx.selectFrom('subnet_advertisements').selectAll().orderBy('id').execute();
  return rows.flatMap((row) => subnetModel(row) ?? []);
}
