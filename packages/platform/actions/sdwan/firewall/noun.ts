// Firewall rules, as the shared parts know them.

import type { Selector } from '@powernode/core/compile/model';
import type { ActionContext, Departing, Departure, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { auditFirewall } from './audit.ts';
import { explainReachability } from './explain.ts';
import { getReachabilityMatrix } from './matrix.ts';
import { loadRules } from './model.ts';
import { showRules, titleOf } from './present-rule.ts';
import { firewallRuleHandlers } from './rules.ts';

export const firewallRuleNoun = {
  kind: 'firewall_rule',
  table: 'firewall_rules',
  handlers: { ...firewallRuleHandlers, auditFirewall, explainReachability, getReachabilityMatrix },
  names: ruleTitles,
  items: loadRules,
  dependents: noteRules,
  inNetwork: rowsInNetwork('firewall_rules', 'firewall rule'),
} satisfies Noun;

async function ruleTitles(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('firewall_rules')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map((await showRules(context, rows)).map((rule) => [rule.id, titleOf(rule)]));
}

/** Notes of plans: rules that name a deleted object. */
async function noteRules(context: ActionContext, of: Departure): Promise<void> {
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
