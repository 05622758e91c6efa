// Handler: the list of peers with its filters. Status is a filter that only observation can answer.
import { silentAfterMs } from '@powernode/core/limits';
import { sql } from 'kysely';
import type { Handler } from '../context.ts';
import { page, pageAnswer } from '../paging.ts';
import { showPeers } from './present-peer.ts';
import { networkRow } from './rows.ts';

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
  const found = await page(query, input, { by: 'peers.id', direction: 'asc' });
  return { peers: await showPeers(context, found.rows), ...pageAnswer(found) };
};

/** The same decision as `statusOf`, in SQL: over the newest handshake that the peer or anyone has seen. */
function statusIs(status: 'handshake_pending' | 'handshaking' | 'connected' | 'silent', now: Date) {
  const last = sql`(
    select max(o.last_handshake_at) from tunnel_observations o
    where o.account_id = peers.account_id
      and (o.public_key = peers.public_key or (o.instance_id = peers.instance_id and exists (
        select from networks n where n.id = peers.network_id
          and (o.interface = 'wg-' || n.handle or o.interface like 'wg-' || n.handle || '-%'))))
  )`;
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
