// Networks, as the shared parts know them.
import type { ActionContext, Names, Noun } from '../../context.ts';

export const networkNoun: Noun = {
  kind: 'network',
  table: 'networks',
  names: networkNames,
  isReferredTo: true,
};

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
