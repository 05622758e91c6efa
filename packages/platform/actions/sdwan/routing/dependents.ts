// Notes of plans: route policies that name a peer which goes.
import type { ActionContext, Departure } from '../../context.ts';

export async function noteRoutePolicies(context: ActionContext, of: Departure): Promise<void> {
  const rows = await context.trx
    .selectFrom('route_policies')
    .select(['name', 'statements'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  if (rows.length === 0) return;
  const byAddress = await departingByAddress(context, of);
  for (const { name, statements } of rows) {
    for (const { seq, match, set } of statements) {
      const which = `Statement ${seq} of the route policy "${name}"`;
      const matched = match.peer === undefined ? undefined : of.byId.get(match.peer);
      if (matched !== undefined) {
        context.note('dependent', `${which} matches ${matched.name}: it matches nothing${of.back}.`);
      }
      const next = set.next_hop === undefined ? undefined : byAddress.get(set.next_hop);
      if (next !== undefined) {
        const then = `no path that it permits can be used${of.back}`;
        context.note('dependent', `${which} sets the next hop to ${next.name}: ${then}.`);
      }
    }
  }
}

/** Peers among them, by what policies name them as a next hop. */
async function departingByAddress(
  context: ActionContext,
  of: Departure,
): Promise<ReadonlyMap<string, { readonly name: string }>> {
  const peers = await context.trx
    .selectFrom('peers')
    .select(['id', 'host_address'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', [...of.byId.keys()])
    .execute();
  return new Map(
    peers.flatMap(({ id, host_address: address }) => {
      const peer = of.byId.get(id);
      return peer === undefined ? [] : [[address, peer] as const];
    }),
  );
}
