// Peers, as the shared parts know them.
import type { ActionContext, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';

export const peerNoun: Noun = {
  kind: 'peer',
  table: 'peers',
  names: peerNames,
  isReferredTo: true,
  inNetwork: rowsInNetwork('peers', 'peer'),
};

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
