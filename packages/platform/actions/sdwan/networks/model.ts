// Networks as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { NetworkModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type NetworkColumns = Pick<
  Selectable<Database['networks']>,
  | 'id'
  | 'account_id'
  | 'handle'
  | 'prefix'
  | 'ipv4_prefix'
  | 'mtu'
  | 'topology_strategy'
  | 'firewall_default_policy'
  | 'rematch_connections'
>;

export const networkColumns = [
  'id',
  'account_id',
  'handle',
  'prefix',
  'ipv4_prefix',
  'mtu',
  'topology_strategy',
  'firewall_default_policy',
  'rematch_connections',
] as const;

export function networkModel(row: NetworkColumns): NetworkModel {
  return {
    id: row.id,
    accountId: row.account_id,
    handle: row.handle,
    prefix: row.prefix,
    ipv4Prefix: row.ipv4_prefix,
    mtu: row.mtu,
    topologyStrategy: row.topology_strategy,
    firewallDefaultPolicy: row.firewall_default_policy,
    rematchConnections: row.rematch_connections,
  };
}

/** All that the transaction sees. */
export async function loadNetworks(trx: Transaction<Database>): Promise<NetworkModel[]> {
  const rows = await trx.selectFrom('networks').select(networkColumns).orderBy('id').execute();
  return rows.map(networkModel);
}
