// Prefixes behind peers as the outside sees them.
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import { stored, timeOrNull } from '../../accounts/present.ts';
import type { ActionContext } from '../../context.ts';
import type { SubnetRow } from './model.ts';

export async function showSubnets(
  context: ActionContext,
  rows: readonly SubnetRow[],
): Promise<SubnetAdvertisement[]> {
  if (rows.length === 0) return [];
  const hosts = await context.trx
    .selectFrom('peers')
    .innerJoin('instances', 'instances.id', 'peers.instance_id')
    .select(['peers.id', 'instances.hostname'])
    .where('peers.account_id', '=', context.accountId)
    .where('peers.id', 'in', [...new Set(rows.map((row) => row.peer_id))])
    .execute();
  const hostnameOf = new Map(hosts.map((one) => [one.id, one.hostname]));
  return rows.map((row) => ({
    ...stored(row),
    network_id: row.network_id,
    peer_id: row.peer_id,
    hostname: hostnameOf.get(row.peer_id) ?? '',
    prefix: row.prefix,
    local_prefix: row.local_prefix,
    source: row.source,
    description: row.description,
    preference: row.preference,
    source_nat: row.source_nat,
    withdrawn_at: timeOrNull(row.withdrawn_at),
  }));
}
