// Handler: the list of peers with its filters. Status is a filter that only observation can answer.
import { silentAfterMs } from '@powernode/core/limits/overlay';
import { sql } from 'kysely';
import type { Handler } from '../../context.ts';
import { uncallable } from '../../fleet/problems.ts';
import { page, pageAnswer } from '../../paging.ts';
import { countedHandshake } from '../reachability/handshakes.ts';
import { networkRow } from '../rows.ts';
import { showPeers } from './present-peer.ts';

export const listPeers: Handler<'listPeers'> = async (context, input) => {
  if (input.network_id !== undefined) await networkRow(context, input.network_id);
  let query = context.trx
    .selectFrom('peers')
    .selectAll('peers')
    .where('peers.account_id', '=', context.accountId);
  if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
  if (input.node_instance_id !== undefined) query = query.where('instance_id', '=', input.node_instance_id);
  if (input.role !== undefined) query = query.where('hub_slot', input.role === 'hub' ? 'is not' : 'is', null);
  if (input.tag !== undefined) query = query.where(sql<boolean>`tags ? ${input.tag}`);
  if (input.status !== undefined) query = query.where(statusIs(input.status, context.now));
  if (input.reachable !== undefined) {
    const ids = context.services.deliverer.peersThat(context.accountId, input.reachable);
    query = query.where((eb) => eb('peers.id', '=', eb.fn.any(eb.val(ids))));
  }
  const found = await page(query, input, { by: 'peers.id', direction: 'asc' });
  return { peers: await showPeers(context, found.rows), ...pageAnswer(found) };
};

/** The same decision as `statusOf`, in SQL. */
function statusIs(status: 'handshake_pending' | 'handshaking' | 'connected' | 'silent', now: Date) {
  const last = sql`(case when ${uncallable} then null else ${countedHandshake} end)`;
  const edge = new Date(now.getTime() - silentAfterMs);
  const applied = sql`coalesce((select i.applied_revision from instances i where i.id = peers.instance_id), -1)
    >= peers.attached_sequence`;
  switch (status) {
    case 'connected':
      return sql<boolean>`${last} >= ${edge}`;
    case 'silent':
      return sql<boolean>`${last} < ${edge}`;
    case 'handshaking':
      return sql<boolean>`${last} is null and ${applied}`;
    case 'handshake_pending':
      return sql<boolean>`${last} is null and not (${applied})`;
  }
}
