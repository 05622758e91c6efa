// Virtual IPs, as the shared parts know them.
import { sql } from 'kysely';
import type { ActionContext, Departure, Names, Noun } from '../../context.ts';
import { addressesInRows } from '../addresses-in-rows.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { failoverVirtualIp } from './failover.ts';
import { candidateIds, loadVirtualIps, type VirtualIpRow } from './model.ts';
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

/** Notes of plans: virtual IPs that lose a candidate or their holder. */
async function noteVirtualIps(context: ActionContext, of: Departure): Promise<void> {
  const rows: VirtualIpRow[] = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const candidates = candidateIds(row);
    const leaving = candidates.flatMap((id) => of.byId.get(id) ?? []);
    const [first] = leaving;
    if (first === undefined) continue;
    const left = candidates.length - leaving.length;
    const holds = row.current_holder_peer_id !== null && of.byId.has(row.current_holder_peer_id);
    const then =
      left === 0 ? 'no candidate is left' : `${left} other candidate${left === 1 ? '' : 's'} can hold it`;
    const what = holds ? 'is taken from' : 'loses the candidate';
    context.note(
      'dependent',
      `The virtual IP "${row.name}" (${row.address}) ${what} ${first.name}; ${then}.`,
    );
  }
}
