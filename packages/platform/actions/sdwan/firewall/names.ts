// The names of objects that explanations and findings speak of.
import type { Named, NameOf } from '@powernode/core/explain/trail';
import type { ActionContext } from '../../context.ts';
import { deviceNames, peerNames, virtualIpNames } from './labels.ts';
import { showRules, titleOf } from './present-rule.ts';

/**
 * Says something twice: once to hear which names it needs, and once with them. Cheaper than to read the names of a
 * whole network.
 */
export async function withNames<T>(context: ActionContext, say: (nameOf: NameOf) => T): Promise<T> {
  const needed = new Map<string, Named>();
  say((object) => {
    needed.set(keyOf(object), object);
    return '';
  });
  const names = await namesOf(context, [...needed.values()]);
  return say((object) => names.get(keyOf(object)) ?? object.id);
}

function keyOf({ type, id }: Named): string {
  return `${type} ${id}`;
}

/** What is gone has no name, nor have parts of a node: they are called by their ids. */
async function namesOf(context: ActionContext, objects: readonly Named[]): Promise<Map<string, string>> {
  const byType = Map.groupBy(objects, ({ type }) => type);
  const names = new Map<string, string>();
  for (const [type, look] of Object.entries(looks)) {
    const ids = (byType.get(type as keyof typeof looks) ?? []).map(({ id }) => id);
    for (const [id, name] of await look(context, ids)) names.set(`${type} ${id}`, name);
  }
  return names;
}

const looks = {
  peer: peerNames,
  user_device: deviceNames,
  virtual_ip: virtualIpNames,
  network: networkNames,
  port_mapping: doorNames,
  firewall_rule: ruleTitles,
} as const;

async function networkNames(context: ActionContext, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('networks')
    .select(['id', 'name'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}

async function doorNames(context: ActionContext, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('port_mappings')
    .select(['id', 'protocol', 'external_address', 'external_port'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(
    rows.map((row) => [row.id, `${row.protocol} port ${row.external_port} at ${row.external_address}`]),
  );
}

async function ruleTitles(context: ActionContext, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('firewall_rules')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map((await showRules(context, rows)).map((rule) => [rule.id, titleOf(rule)]));
}
