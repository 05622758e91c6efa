// Prefixes behind peers, as the shared parts know them.
import type { ActionContext, Departure, Names, Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { loadSubnets } from './model.ts';
import { subnetHandlers } from './subnets.ts';

export const subnetNoun = {
  kind: 'subnet_advertisement',
  table: 'subnet_advertisements',
  handlers: subnetHandlers,
  names: subnetNames,
  items: loadSubnets,
  dependents: noteSubnets,
  inNetwork: rowsInNetwork('subnet_advertisements', 'prefix behind a peer'),
} satisfies Noun;

async function subnetNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('subnet_advertisements')
    .select(['id', 'prefix'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.prefix]));
}

/** Notes of plans: prefixes whose peer goes. */
async function noteSubnets(context: ActionContext, of: Departure): Promise<void> {
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
