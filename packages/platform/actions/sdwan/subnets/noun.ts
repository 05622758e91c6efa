// Prefixes behind peers, as the shared parts know them.
import type { ActionContext, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { noteSubnets } from './dependents.ts';
import { loadSubnets } from './model.ts';
import { subnetHandlers } from './subnets.ts';

export const subnetNoun = {
  kind: 'subnet_advertisement',
  table: 'subnet_advertisements',
  handlers: subnetHandlers,
  names: subnetNames,
  items: loadSubnets,
  dependents: noteSubnets,
  inNetwork: rowsInNetwork('subnet_advertisements', 'prefix behind a peer'),
} satisfies Noun;

async function subnetNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('subnet_advertisements')
    .select(['id', 'prefix'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.prefix]));
}
