// Networks as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { NetworkModel } from '@powernode/core/compile/model';
import { asNumberDefault } from '@powernode/core/intent/bgp';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type NetworkColumns = Pick<
  Selectable<Database['networks']>,
  | 'id'
  | 'account_id'
  | 'handle'
  | 'prefix'
  | 'ipv4_prefix'
  | 'pod_subnet_prefix'
  | 'mtu'
  | 'topology_strategy'
  | 'routing_mode'
  | 'firewall_default_policy'
  | 'rematch_connections'
>;

export const networkColumns = [
  'id',
  'account_id',
  'handle',
  'prefix',
  'ipv4_prefix',
  'pod_subnet_prefix',
  'mtu',
  'topology_strategy',
  'routing_mode',
  'firewall_default_policy',
  'rematch_connections',
] as const;

/** All of it: `asNumber` is that of the account. */
export function networkModel(row: NetworkColumns, asNumber: number): NetworkModel {
  return {
    ...tunnelsModel(row),
    ...(row.routing_mode === 'ibgp' ? { asNumber } : {}),
    ...(row.pod_subnet_prefix === null ? {} : { podPrefix: row.pod_subnet_prefix }),
  };
}

/** What its addresses and tunnels follow from; whether it speaks BGP or has pods is not in it. */
export function tunnelsModel(row: NetworkColumns): NetworkModel {
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
  const accounts = await trx.selectFrom('accounts').select(['id', 'as_number']).execute();
  const numbers = new Map(accounts.map((account) => [account.id, account.as_number]));
  return rows.map((row) => networkModel(row, numbers.get(row.account_id) ?? asNumberDefault));
}

/** The AS number of an account. */
export async function accountAsNumber(trx: Transaction<Database>, accountId: string): Promise<number> {
  const { as_number: asNumber } = await trx
    .selectFrom('accounts')
    .select('as_number')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  return asNumber;
}
