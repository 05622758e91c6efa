// Networks, as the shared parts know them.
import type { ActionContext, Names, Noun } from '../../context.ts';
import { getTopology } from '../reachability/topology.ts';
import { networkHandlers } from './networks.ts';

export const networkNoun = {
  kind: 'network',
  table: 'networks',
  handlers: { ...networkHandlers, getTopology },
  names: networkNames,
  isReferredTo: true,
} satisfies Noun;

async function networkNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('networks')
    .select(['id', 'name'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}
