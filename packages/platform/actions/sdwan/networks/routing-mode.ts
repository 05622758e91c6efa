// What follows when a network begins or ends to speak BGP.
import { meshPeersFew } from '@powernode/core/limits/routing';
import type { ActionContext } from '../../context.ts';
import type { NetworkRow } from '../rows.ts';

export async function followRoutingMode(
  context: ActionContext,
  { before, after }: { readonly before: NetworkRow; readonly after: NetworkRow },
): Promise<void> {
  if (before.routing_mode === after.routing_mode) return;
  if (after.routing_mode === 'ibgp') return noteFewPeers(context, after);
  const { trx } = context;
  const policies = await trx
    .selectFrom('route_policies')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', after.id)
    .executeTakeFirstOrThrow();
  await trx.deleteFrom('bgp_sessions').where('network_id', '=', after.id).execute();
  context.note('sessions_end', `All BGP sessions of "${after.name}" end; its routes are static.`);
  if (policies.count === 0) return;
  const which = policies.count === 1 ? 'One route policy is' : `${policies.count} route policies are`;
  context.note('dependent', `${which} kept, without effect until routing_mode is ibgp again.`);
}

/** Routes have no second way in a network of two. One that has no peers yet, or any more, has no routes. */
export function noteFewPeers(context: ActionContext, network: NetworkRow): void {
  const { routing_mode: mode, peers_count: count } = network;
  if (mode !== 'ibgp' || count === 0 || count >= meshPeersFew) return;
  const peers = count === 1 ? '1 peer' : `${count} peers`;
  context.note(
    'few_peers',
    `"${network.name}" has ${peers}: with fewer than ${meshPeersFew} there is one path to each prefix, and BGP chooses among no others.`,
  );
}
