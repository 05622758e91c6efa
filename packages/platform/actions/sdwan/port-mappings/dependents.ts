// Notes of plans: port mappings whose hub or target goes.
import type { ActionContext, Departure } from '../../context.ts';

export async function notePortMappings(context: ActionContext, of: Departure): Promise<void> {
  const rows = await context.trx
    .selectFrom('port_mappings')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const door = `The port mapping ${row.external_address} ${row.protocol} ${row.external_port}`;
    const hub = of.byId.get(row.hub_peer_id);
    const target = [row.internal_peer_id, row.internal_virtual_ip_id].flatMap((id) =>
      id === null ? [] : (of.byId.get(id) ?? []),
    )[0];
    if (hub !== undefined) context.note('dependent', `${door} is at ${hub.name}: it is closed${of.back}.`);
    else if (target !== undefined) {
      context.note('dependent', `${door} targets ${target.name}: it loses its target${of.back}.`);
    }
  }
}
