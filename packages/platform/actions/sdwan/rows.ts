// Rows of networks, peers and machines, read under the account.
import type { Selectable } from 'kysely';
import type { Database } from '../../store/tables.ts';
import { type ActionContext, notFound } from '../context.ts';

export type NetworkRow = Selectable<Database['networks']>;
export type PeerRow = Selectable<Database['peers']>;
export type InstanceRow = Selectable<Database['instances']>;

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
