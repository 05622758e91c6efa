// A machine has said whether FRR can be used on it: where it cannot, peers that speak BGP keep static routes to what is
// behind its peers.
import { routingDaemonRestMs } from '@powernode/core/limits/overlay';
import type { ActionContext } from '../../context.ts';
import { writePeer } from '../peers/write-peer.ts';
import type { PeerRow } from '../rows.ts';

/** Answers in how many milliseconds to look again; null: not before the machine says something else. */
export async function followRoutingDaemon(
  context: ActionContext,
  instanceId: string,
): Promise<number | null> {
  const before = await dueOf(context, instanceId);
  if (before.due.length === 0) return before.againMs;
  // Read again under the account's lock: somebody may have changed them meanwhile.
  await context.lock();
  const { due, againMs } = await dueOf(context, instanceId);
  for (const { peer, missing } of due) {
    await writePeer(context, peer, {
      routing_daemon_missing: missing,
      routing_daemon_followed_at: context.now,
    });
  }
  return againMs;
}

interface Turned {
  readonly peer: PeerRow;
  readonly missing: boolean;
}

async function dueOf(
  context: ActionContext,
  instanceId: string,
): Promise<{ readonly due: readonly Turned[]; readonly againMs: number | null }> {
  const all = (await turned(context, instanceId)).map((one) => ({ one, restMs: restMsOf(context, one) }));
  const waits = all.flatMap(({ restMs }) => (restMs > 0 ? [restMs] : []));
  return {
    due: all.flatMap(({ one, restMs }) => (restMs > 0 ? [] : [one])),
    againMs: waits.length === 0 ? null : Math.min(...waits),
  };
}

/** How long it is until the peer is one with FRR again, in milliseconds. Each time reaches all members. */
function restMsOf({ now }: Pick<ActionContext, 'now'>, { peer, missing }: Turned): number {
  const { routing_daemon_followed_at: last } = peer;
  if (missing || last === null) return 0;
  return Math.max(last.getTime() + routingDaemonRestMs - now.getTime(), 0);
}

/** Peers of the machine that are marked otherwise than it says. */
async function turned(context: ActionContext, instanceId: string): Promise<Turned[]> {
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
