// Port mappings, as the shared parts know them.
import type { ActionContext, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { notePortMappings } from './dependents.ts';
import { tellOfLostDoors } from './lost-doors.ts';
import { loadPortMappings } from './model.ts';
import { portMappingHandlers } from './port-mappings.ts';

export const portMappingNoun = {
  kind: 'port_mapping',
  table: 'port_mappings',
  handlers: portMappingHandlers,
  names: portMappingNames,
  items: loadPortMappings,
  consequences: tellOfLostDoors,
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
