// What peers are called, for the gate and for handlers of other objects.
import type { ActionContext, Names } from '../../context.ts';

/** A peer is called by the hostname of its machine. */
export async function peerNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('peers')
    .innerJoin('instances', 'instances.id', 'peers.instance_id')
    .select(['peers.id', 'instances.hostname'])
    .where('peers.account_id', '=', context.accountId)
    .where('peers.id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.hostname]));
}

/** In a sentence; one that is not there is called by its id. */
export async function peerName(context: ActionContext, id: string): Promise<string> {
  return (await peerNames(context, [id])).get(id) ?? id;
}
