// Notes of plans: rules that name an object which goes.
import type { Selector } from '@powernode/core/compile/model';
import type { ActionContext, Departing, Departure } from '../../context.ts';

export async function noteRules(context: ActionContext, of: Departure): Promise<void> {
  const rules = await context.trx
    .selectFrom('firewall_rules')
    .select(['id', 'name', 'action', 'selector', 'destination', 'enabled'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const rule of rules) {
    const side = [rule.selector, rule.destination].map((one) => goneSide(one, of.byId)).find(Boolean);
    if (side === undefined || side === null || !rule.enabled) continue;
    const name =
      rule.name === null ? `The ${rule.action} rule ${rule.id}` : `The ${rule.action} rule "${rule.name}"`;
    context.note('dependent', `${name} names ${side.name}: it matches nothing${of.back}.`);
  }
}

function goneSide(side: Selector, byId: Departure['byId']): Departing | null {
  return 'id' in side ? (byId.get(side.id) ?? null) : null;
}
