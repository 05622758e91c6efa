// Port mappings, as the shared parts know them.
import type { ActionContext, Departure, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { reportLostTargets } from './lost-targets.ts';
import { loadPortMappings } from './model.ts';
import { portMappingHandlers } from './port-mappings.ts';

export const portMappingNoun = {
  kind: 'port_mapping',
  table: 'port_mappings',
  handlers: portMappingHandlers,
  names: portMappingNames,
  items: loadPortMappings,
  consequences: reportLostTargets,
  dependents: notePortMappings,
  inNetwork: rowsInNetwork('port_mappings', 'port mapping'),
} satisfies Noun;

async function portMappingNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
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

/** Notes of plans: port mappings whose hub or target is deleted. */
async function notePortMappings(context: ActionContext, of: Departure): Promise<void> {
  const rows = await context.trx
    .selectFrom('port_mappings')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const mapping = `The port mapping ${row.external_address} ${row.protocol} ${row.external_port}`;
    const hub = of.byId.get(row.hub_peer_id);
    const target = [row.internal_peer_id, row.internal_virtual_ip_id].flatMap((id) =>
      id === null ? [] : (of.byId.get(id) ?? []),
    )[0];
    if (hub !== undefined) context.note('dependent', `${mapping} is at ${hub.name}: it is closed${of.back}.`);
    else if (target !== undefined) {
      context.note('dependent', `${mapping} targets ${target.name}: it loses its target${of.back}.`);
    }
  }
}
