// Resets of sessions of BGP: a row for each session that was ever to be cleared, with the last time that it was asked for.
// The node at that end does it and says so (deliver/reports/bgp-session-rows.ts).
import type { SessionResetModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import { itemChanged } from '../item-changed.ts';
import { type SessionEnd, sessionIdOf } from './session-ends.ts';

export type SessionResetRow = Selectable<Database['bgp_session_resets']>;

/** The node of the peer is to clear its session once more. */
export async function resetSession(context: ActionContext, end: SessionEnd): Promise<void> {
  await context.lock();
  const id = sessionIdOf(end);
  const before = await context.trx
    .selectFrom('bgp_session_resets')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('peer_id', '=', end.peer.id)
    .where('neighbor_id', '=', end.neighbor.id)
    .executeTakeFirst();
  const asked = { reset_id: context.services.newId(), requested_at: context.now, done_at: null };
  const after = await context.trx
    .insertInto('bgp_session_resets')
    .values({
      id,
      account_id: context.accountId,
      network_id: end.peer.networkId,
      peer_id: end.peer.id,
      neighbor_id: end.neighbor.id,
      ...asked,
    })
    .onConflict((conflict) => conflict.columns(['peer_id', 'neighbor_id']).doUpdateSet(asked))
    .returningAll()
    .executeTakeFirstOrThrow();
  itemChanged(context, sessionResetModel, { before: before ?? null, after });
  context.event('sdwan.bgp.session.reset_requested', {
    session_id: id,
    network_id: after.network_id,
    peer_id: after.peer_id,
    neighbor_id: after.neighbor_id,
    reset_id: after.reset_id,
  });
}

function sessionResetModel(row: SessionResetRow): SessionResetModel {
  return {
    type: 'session_reset',
    id: row.id,
    networkId: row.network_id,
    peerId: row.peer_id,
    neighborId: row.neighbor_id,
    resetId: row.reset_id,
  };
}

/** Of all networks that the transaction sees. */
export async function loadSessionResets(trx: Transaction<Database>): Promise<SessionResetModel[]> {
  const rows = await trx.selectFrom('bgp_session_resets').selectAll().orderBy('id').execute();
  return rows.map(sessionResetModel);
}
