// Route policies as rows, and what the compiler reads of them.
import type { RoutePolicyModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type RoutePolicyRow = Selectable<Database['route_policies']>;

export function routePolicyModel(row: RoutePolicyRow): RoutePolicyModel {
  return {
    type: 'route_policy',
    id: row.id,
    networkId: row.network_id,
    direction: row.direction,
    statements: row.statements,
  };
}

/** Of all networks that the transaction sees. */
export async function loadRoutePolicies(trx: Transaction<Database>): Promise<RoutePolicyModel[]> {
  const rows = await trx.selectFrom('route_policies').selectAll().orderBy('id').execute();
  return rows.map(routePolicyModel);
}
