// Notes of plans: virtual IPs that lose a candidate or their holder.
import type { ActionContext, Departure } from '../../context.ts';
import { candidateIds, type VirtualIpRow } from './model.ts';

export async function noteVirtualIps(context: ActionContext, of: Departure): Promise<void> {
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
