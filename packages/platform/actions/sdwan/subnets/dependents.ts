// Notes of plans: prefixes whose peer goes.
import type { ActionContext, Departure } from '../../context.ts';

export async function noteSubnets(context: ActionContext, of: Departure): Promise<void> {
  const rows = await context.trx
    .selectFrom('subnet_advertisements')
    .select(['prefix', 'peer_id'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const { prefix, peer_id: peerId } of rows) {
    const peer = of.byId.get(peerId);
    if (peer === undefined) continue;
    const others = rows.some((other) => other.prefix === prefix && !of.byId.has(other.peer_id));
    const what = others ? 'is reached by another peer' : 'is not reached from the network';
    context.note('dependent', `${prefix} is behind ${peer.name}: it ${what}${of.back}.`);
  }
}
