// Events of port mappings whose hub or target goes with the change under way.

import type { ActionContext } from '../../context.ts';
import type { PortMappingRow } from './model.ts';
import { showPortMappings } from './present-port-mapping.ts';

export async function reportLostTargets(context: ActionContext): Promise<void> {
  const { networks, gone } = whatIsGone(context);
  if (gone.size === 0) return;
  const rows: PortMappingRow[] = await context.trx
    .selectFrom('port_mappings')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...networks])
    .where((eb) => {
      const ids = [...gone];
      return eb.or([
        eb('hub_peer_id', 'in', ids),
        eb('internal_peer_id', 'in', ids),
        eb('internal_virtual_ip_id', 'in', ids),
      ]);
    })
    .orderBy('id')
    .execute();
  for (const mapping of await showPortMappings(context, rows)) {
    if (mapping.status === 'active') continue;
    context.event(
      `sdwan.port_mapping.${mapping.status}`,
      { network_id: mapping.network_id, port_mapping: mapping, reason: mapping.status_detail },
      'warning',
    );
  }
}

/** Peers that leave, stop being hubs or lose their IPv4 address, and virtual IPs that are deleted. */
function whatIsGone(context: ActionContext) {
  const networks = new Set<string>();
  const gone = new Set<string>();
  for (const change of context.changes) {
    if (change.kind !== 'peer_changed' && change.kind !== 'item_changed') continue;
    const { before, after } = change;
    if (before === null || !isGone(before, after)) continue;
    networks.add(change.networkId);
    gone.add(before.id);
  }
  return { networks, gone };
}

type Thing = {
  readonly type?: string;
  readonly hubSlot?: number | null;
  readonly ipv4Address?: string | null;
} | null;

function isGone(before: NonNullable<Thing>, after: Thing): boolean {
  if (after === null) return before.type === undefined || before.type === 'virtual_ip';
  if (before.ipv4Address != null && after.ipv4Address === null) return true;
  return before.hubSlot != null && after.hubSlot === null;
}
