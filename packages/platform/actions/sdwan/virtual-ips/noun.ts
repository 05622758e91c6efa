// Virtual IPs, as the shared parts know them.
import { sql } from 'kysely';
import type { ActionContext, Names, Noun } from '../../context.ts';
import { addressesInRows } from '../addresses-in-rows.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { noteVirtualIps } from './dependents.ts';
import { failoverVirtualIp } from './failover.ts';
import { loadVirtualIps } from './model.ts';
import { virtualIpHandlers } from './virtual-ips.ts';

export const virtualIpNoun = {
  kind: 'virtual_ip',
  table: 'virtual_ips',
  handlers: { ...virtualIpHandlers, failoverVirtualIp },
  names: virtualIpNames,
  items: loadVirtualIps,
  isReferredTo: true,
  dependents: noteVirtualIps,
  inNetwork: rowsInNetwork('virtual_ips', 'virtual IP'),
  addresses: addressesInRows({
    table: 'virtual_ips',
    ipv6: 'address',
    called: sql`'the virtual IP "' || had.name || '" (' || had.id || ')'`,
  }),
} satisfies Noun;

async function virtualIpNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('virtual_ips')
    .select(['id', 'name'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}
