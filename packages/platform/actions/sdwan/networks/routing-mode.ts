// What follows when a network begins or ends to speak BGP.

import { meshPeersFew } from '@powernode/core/limits/routing';
import { sql } from 'kysely';
import type { ActionContext } from '../../context.ts';
import type { NetworkRow } from '../rows.ts';

/** Machines that a note names. */
const namedMax = 5;

export async function followRoutingMode(
  context: ActionContext,
  { before, after }: { readonly before: NetworkRow; readonly after: NetworkRow },
): Promise<void> {
  if (before.routing_mode === after.routing_mode) return;
  if (after.routing_mode === 'ibgp') {
    noteFewPeers(context, after);
    return noteWithoutFrr(context, after);
  }
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

/** Machines that have said that FRR cannot be used on them. */
async function noteWithoutFrr(context: ActionContext, network: NetworkRow): Promise<void> {
  const rows = await context.trx
    .selectFrom('peers')
    .innerJoin('instances', 'instances.id', 'peers.instance_id')
    .select('instances.hostname')
    .where('peers.account_id', '=', context.accountId)
    .where('peers.network_id', '=', network.id)
    .where(sql<boolean>`instances.routing_daemon ->> 'missing' is not null`)
    .orderBy('instances.hostname')
    .execute();
  if (rows.length === 0) return;
  const named = rows.slice(0, namedMax).map(({ hostname }) => hostname);
  const others = rows.length - named.length;
  const names = others === 0 ? named.join(', ') : `${named.join(', ')} and ${others} more`;
  context.note(
    'routing_daemon_missing',
    `FRR cannot be used on ${names}: there routes stay static, and other peers keep static routes to what is behind ${rows.length === 1 ? 'it' : 'them'}. Install frr to have BGP decide.`,
  );
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
