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
  for (const { name, statements } of rows) {
    for (const { seq, match } of statements) {
      const peer = match.peer === undefined ? undefined : of.byId.get(match.peer);
      if (peer === undefined) continue;
      const which = `Statement ${seq} of the route policy "${name}"`;
      context.note('dependent', `${which} matches ${peer.name}: it matches nothing${of.back}.`);
    }
  }
}
