// Where a peer's row is written: its revision rises, and nodes are told what follows.
import { canonicalJson } from '@powernode/core/compile/digest';
import type { Peer } from '@powernode/core/intent/peer';
import type { Updateable } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import type { PeerRow } from '../rows.ts';
import { peerModel } from './model.ts';
import { showPeers } from './present-peer.ts';
import { endUnreachableHub } from './unreachable-hub.ts';

export type PeerColumns = Omit<Updateable<Database['peers']>, 'id' | 'revision' | 'updated_at'>;

export async function writePeer(
  context: ActionContext,
  before: PeerRow,
  columns: PeerColumns,
): Promise<PeerRow> {
  const after = await context.trx
    .updateTable('peers')
    .set({ ...columns, updated_at: context.now, revision: before.revision + 1 })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (after.hub_slot === null) await endUnreachableHub(context, before, 'The peer is a spoke now.');
  peerChanged(context, { before, after });
  return after;
}

/** Nodes are told where the compiler sees another peer than before: what is declared may be what was detected. */
export function peerChanged(
  context: ActionContext,
  rows: { readonly before: PeerRow; readonly after: PeerRow },
): void {
  const models = { before: peerModel(rows.before), after: peerModel(rows.after) };
  if (canonicalJson(models.before) === canonicalJson(models.after)) return;
  context.change({ kind: 'peer_changed', networkId: rows.before.network_id, ...models });
}

/** The payload of an event about a peer that was written; `after` is also what its writer is answered. */
export async function beforeAndAfter(
  context: ActionContext,
  rows: { readonly before: PeerRow; readonly after: PeerRow },
): Promise<{ readonly before: Peer; readonly after: Peer }> {
  const [before, after] = await showPeers(context, [rows.before, rows.after]);
  if (before === undefined || after === undefined) throw new Error('a peer that was just read is not shown');
  return { before, after };
}
