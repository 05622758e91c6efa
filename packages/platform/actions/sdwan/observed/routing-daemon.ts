// A machine has said whether FRR can be used on it: where it cannot, peers that speak BGP keep static routes to what is
// behind its peers.
import type { ActionContext } from '../../context.ts';
import { writePeer } from '../peers/write-peer.ts';
import type { PeerRow } from '../rows.ts';

export async function followRoutingDaemon(context: ActionContext, instanceId: string): Promise<void> {
  if ((await turned(context, instanceId)).length === 0) return;
  // Read again under the account's lock: somebody may have changed them meanwhile.
  await context.lock();
  for (const { peer, missing } of await turned(context, instanceId)) {
    await writePeer(context, peer, { routing_daemon_missing: missing });
  }
}

/** Peers of the machine that are marked otherwise than it says. */
async function turned(
  context: ActionContext,
  instanceId: string,
): Promise<{ readonly peer: PeerRow; readonly missing: boolean }[]> {
  const { trx, accountId } = context;
  const instance = await trx
    .selectFrom('instances')
    .select('routing_daemon')
    .where('account_id', '=', accountId)
    .where('id', '=', instanceId)
    .where('terminated_at', 'is', null)
    .executeTakeFirst();
  if (instance?.routing_daemon == null) return [];
  const missing = instance.routing_daemon.missing !== null;
  const peers = await trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('instance_id', '=', instanceId)
    .where('routing_daemon_missing', '!=', missing)
    .orderBy('id')
    .execute();
  return peers.map((peer) => ({ peer, missing }));
}
