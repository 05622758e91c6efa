// Firewall rules, as the shared parts know them.
import type { ActionContext, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { auditFirewall } from './audit.ts';
import { noteRules } from './dependents.ts';
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
