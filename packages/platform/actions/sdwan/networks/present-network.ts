// Networks as the outside sees them.
import { leafInterfaceName } from '@powernode/core/compile/entries';
import type { Network } from '@powernode/core/intent/network';
import { sql } from 'kysely';
import { stored } from '../../accounts/present.ts';
import type { ActionContext } from '../../context.ts';
import type { NetworkRow } from '../rows.ts';

export async function showNetworks(context: ActionContext, rows: readonly NetworkRow[]): Promise<Network[]> {
  if (rows.length === 0) return [];
  const counts = await context.trx
    .selectFrom('peers')
    .select(['network_id', sql<number>`count(*)`.as('peers'), sql<number>`count(hub_slot)`.as('hubs')])
    .where('account_id', '=', context.accountId)
    .where(
      'network_id',
      'in',
      rows.map((row) => row.id),
    )
    .groupBy('network_id')
    .execute();
  const countOf = new Map(counts.map((count) => [count.network_id, count]));
  return rows.map((row) => ({
    ...stored(row),
    name: row.name,
    description: row.description,
    handle: row.handle,
    prefix: row.prefix,
    ipv4_prefix: row.ipv4_prefix,
    pod_subnet_prefix: row.pod_subnet_prefix,
    flannel: flannelOf(row),
    routing_mode: row.routing_mode,
    topology_strategy: row.topology_strategy,
    firewall_default_policy: row.firewall_default_policy,
    direct_paths: row.direct_paths,
    rematch_connections: row.rematch_connections,
    mtu: row.mtu,
    status: 'active',
    peer_count: countOf.get(row.id)?.peers ?? 0,
    hub_count: countOf.get(row.id)?.hubs ?? 0,
  }));
}

/** The leaf interface is the one with an address, which host-gw makes the next hop of other nodes. */
function flannelOf({ handle, pod_subnet_prefix: prefix }: NetworkRow): Network['flannel'] {
  if (prefix === null) return null;
  return { flannel_iface: leafInterfaceName({ handle }), flannel_backend: 'host-gw', cluster_cidr: prefix };
}
