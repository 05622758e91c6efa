// Firewall rules as the outside sees them: sides with the names of what they mean, and what all nodes counted.

import type { Selector } from '@powernode/core/compile/model';
import type { FirewallRule } from '@powernode/core/intent/firewall';
import { sql } from 'kysely';
import { sumOf } from '../../../store/sums.ts';
import { stored } from '../../accounts/present.ts';
import type { ActionContext } from '../../context.ts';
import { type Labels, labelsOf } from './labels.ts';
import type { RuleRow } from './model.ts';
import { portRangeOf } from './port-range.ts';

export async function showRule(context: ActionContext, row: RuleRow): Promise<FirewallRule> {
  const [rule] = await showRules(context, [row]);
  if (rule === undefined) throw new Error('a firewall rule that was just read is not shown');
  return rule;
}

export async function showRules(context: ActionContext, rows: readonly RuleRow[]): Promise<FirewallRule[]> {
  const labels = await labelsOf(context, rows);
  const counts = await countsOf(context, rows);
  return rows.map((row) => {
    const count = counts.get(row.id);
    return {
      ...stored(row),
      network_id: row.network_id,
      name: row.name,
      direction: row.direction,
      action: row.action,
      selector: showSide(row.selector, { labels, networkId: row.network_id }),
      destination: showSide(row.destination, { labels, networkId: row.network_id }),
      protocol: row.protocol,
      port_range: portRangeOf(row),
      enabled: row.enabled,
      packets: count?.packets ?? null,
      bytes: count?.bytes ?? null,
      counted_at: count?.counted_at.toISOString() ?? null,
    };
  });
}

/** A rule without a name is called by what it does. */
export function titleOf(rule: FirewallRule): string {
  if (rule.name !== null) return rule.name;
  const ports = rule.port_range === null ? '' : ` ${rule.port_range}`;
  const what = rule.protocol === 'any' ? '' : ` ${rule.protocol}${ports}`;
  return `${rule.action}${what} from ${rule.selector.label} to ${rule.destination.label}`;
}

function showSide(
  side: Selector,
  at: { readonly labels: Labels; readonly networkId: string },
): FirewallRule['selector'] {
  const { label, resolves } = at.labels.of(side, at.networkId);
  switch (side.kind) {
    case 'all':
      return { kind: side.kind, label, resolves };
    case 'tag':
      return { kind: side.kind, tag: side.tag, label, resolves };
    case 'cidr':
      return { kind: side.kind, cidr: side.cidr, label, resolves };
    case 'peer':
    case 'user_device':
    case 'virtual_ip':
    case 'federation_peer':
      return { kind: side.kind, [`${side.kind}_id`]: side.id, label, resolves };
  }
}

async function countsOf(context: ActionContext, rows: readonly RuleRow[]) {
  if (rows.length === 0) return new Map<string, never>();
  const counts = await context.trx
    .selectFrom('rule_counters')
    .select([
      'rule_id',
      sumOf('packets').as('packets'),
      sumOf('bytes').as('bytes'),
      sql<Date>`max(observed_at)`.as('counted_at'),
    ])
    .where('account_id', '=', context.accountId)
    .where(
      'rule_id',
      'in',
      rows.map((row) => row.id),
    )
    .groupBy('rule_id')
    .execute();
  return new Map(counts.map((count) => [count.rule_id, count]));
}
