// Rows of networks and peers: reading them under the account, and turning them into what the compiler reads.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import type { Selectable } from 'kysely';
import type { Database } from '../../store/tables.ts';
import { type ActionContext, notFound } from '../context.ts';

export type NetworkRow = Selectable<Database['networks']>;
export type PeerRow = Selectable<Database['peers']>;
export type InstanceRow = Selectable<Database['instances']>;

export function networkModel(row: NetworkRow): NetworkModel {
  return {
    id: row.id,
    accountId: row.account_id,
    handle: row.handle,
    prefix: row.prefix,
    mtu: row.mtu,
    topologyStrategy: row.topology_strategy,
  };
}

export function peerModel(row: PeerRow): PeerModel {
  return {
    id: row.id,
    networkId: row.network_id,
    instanceId: row.instance_id,
    hostAddress: row.host_address,
    publicKey: row.public_key,
    hubSlot: row.hub_slot,
    endpoint: row.endpoint,
    listenPort: row.listen_port,
  };
}

export async function networkRow(context: ActionContext, id: string): Promise<NetworkRow> {
  const row = await context.trx
    .selectFrom('networks')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('network', id);
  return row;
}

export async function peerRow(context: ActionContext, id: string): Promise<PeerRow> {
  const row = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('peer', id);
  return row;
}

export async function instanceRow(context: ActionContext, id: string): Promise<InstanceRow> {
  const row = await context.trx
    .selectFrom('instances')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('instance', id);
  return row;
}
