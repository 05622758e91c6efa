// Firewall rules as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { RuleModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type RuleRow = Selectable<Database['firewall_rules']>;

export function ruleModel(row: RuleRow): RuleModel {
  const { port_first: first, port_last: last } = row;
  return {
    type: 'firewall_rule',
    id: row.id,
    networkId: row.network_id,
    direction: row.direction,
    action: row.action,
    selector: row.selector,
    destination: row.destination,
    protocol: row.protocol,
    ports: first === null || last === null ? null : [first, last],
    enabled: row.enabled,
  };
}

/** Of all networks that the transaction sees. */
export async function loadRules(trx: Transaction<Database>): Promise<RuleModel[]> {
  const rows = await trx.selectFrom('firewall_rules').selectAll().orderBy('id').execute();
  return rows.map(ruleModel);
}
