// A machine has said which slices its clusters have: its peers' slices follow, as far as nobody else has them.
import type { ActionContext } from '../../context.ts';
import { networkRow } from '../rows.ts';
import { isSettled, type Place, restMsOf, settle, settleRefused, turnOf } from './settle.ts';
import { NetworkSlices } from './slices.ts';
import type { SliceTurn } from './turn.ts';

interface Due {
  readonly place: Place;
  readonly turn: SliceTurn;
}

/** Answers in how many milliseconds to look again; null: not before the machine says something else. */
export async function followSlices(context: ActionContext, instanceId: string): Promise<number | null> {
  const before = await dueOf(context, instanceId);
  if (before.due.length === 0) return before.againMs;
  // Read again under the account's lock: somebody may have changed them meanwhile.
  await context.lock();
  const { due, againMs } = await dueOf(context, instanceId);
  for (const { place, turn } of due) {
    const isFreed = await settle(context, place, { turn, followed: true });
    if (isFreed) await settleRefused(context, place.slices.network);
  }
  return againMs;
}

async function dueOf(
  context: ActionContext,
  instanceId: string,
): Promise<{ readonly due: readonly Due[]; readonly againMs: number | null }> {
  const peers = await context.trx
    .selectFrom('peers')
    .innerJoin('networks', 'networks.id', 'peers.network_id')
    .selectAll('peers')
    .where('peers.account_id', '=', context.accountId)
    .where('peers.instance_id', '=', instanceId)
    .where('networks.pod_subnet_prefix', 'is not', null)
    .orderBy('peers.id')
    .execute();
  const due: Due[] = [];
  const waits: number[] = [];
  for (const peer of peers) {
    const slices = await NetworkSlices.of(context, await networkRow(context, peer.network_id));
    if (slices === null) continue;
    const turn = await turnOf(context, { slices, peer });
    if (isSettled({ peer }, turn)) continue;
    const restMs = restMsOf(context, { peer }, turn);
    if (restMs > 0) waits.push(restMs);
    else due.push({ place: { slices, peer }, turn });
  }
  return { due, againMs: waits.length === 0 ? null : Math.min(...waits) };
}
