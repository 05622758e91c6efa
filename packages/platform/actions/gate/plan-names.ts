// Names of machines for plans, so that a person reads hostnames and not identifiers.
import type { ActionContext } from '../context.ts';

export function hostnamesOf(context: ActionContext): Promise<(instanceId: string) => string> {
  return context.changes.length === 0 ? Promise.resolve((id) => id) : hostnames(context);
}

export async function hostnames(context: ActionContext): Promise<(instanceId: string) => string> {
  const rows = await context.trx
    .selectFrom('instances')
    .select(['id', 'hostname'])
    .where('account_id', '=', context.accountId)
    .execute();
  const names = new Map(rows.map((row) => [row.id, row.hostname]));
  return (id) => names.get(id) ?? id;
}
