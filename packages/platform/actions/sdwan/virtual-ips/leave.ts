// What follows for virtual IPs when a peer leaves its network: it is a candidate of none any more, and what it held is
// taken from it. To be called before the peer is removed, in the same transaction. And what follows when it comes back.
import { sql } from 'kysely';
import type { FormerCandidacy } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import type { PeerRow } from '../rows.ts';
import { bestCandidate, termsOfHolder } from './fitness.ts';
import { candidateIds, type VirtualIpRow } from './model.ts';
import { revokeAddress, writeVirtualIp } from './moves.ts';
import { showVirtualIp } from './present-virtual-ip.ts';

export interface Leaving {
  /** Its machine is terminated: an operator's word that it is no more. */
  readonly terminated: boolean;
}

export async function leaveVirtualIps(
  context: ActionContext,
  peer: PeerRow,
  leaving: Leaving,
): Promise<FormerCandidacy[]> {
  const rows = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('network_id', '=', peer.network_id)
    .where((eb) =>
      eb.or([
        eb('primary_holder_peer_id', '=', peer.id),
        eb('current_holder_peer_id', '=', peer.id),
        eb('releasing_peer_id', '=', peer.id),
        eb('successor_peer_id', '=', peer.id),
        sql<boolean>`jsonb_exists(failover_holder_peer_ids, ${peer.id})`,
      ]),
    )
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const row of rows) await leave(context, { row, peer, leaving });
  return rows.flatMap((row) => {
    const place = candidateIds(row).indexOf(peer.id);
    return place < 0 ? [] : [{ virtual_ip_id: row.id, place }];
  });
}

async function leave(
  context: ActionContext,
  of: { readonly row: VirtualIpRow; readonly peer: PeerRow; readonly leaving: Leaving },
): Promise<void> {
  const { row, peer, leaving } = of;
  const remaining = candidateIds(row).filter((id) => id !== peer.id);
  const [primary = row.primary_holder_peer_id, ...failover] = remaining;
  const { transition: move } = row;
  const isReleasing = row.releasing_peer_id === peer.id && move !== null;
  const changed = await writeVirtualIp(context, row, {
    primary_holder_peer_id: primary,
    failover_holder_peer_ids: JSON.stringify(failover),
    successor_peer_id: row.successor_peer_id === peer.id ? null : row.successor_peer_id,
    ...(isReleasing ? { transition: JSON.stringify({ ...move, from_terminated: leaving.terminated }) } : {}),
  });
  const holds = row.current_holder_peer_id === peer.id;
  const after = holds
    ? await revokeAddress(context, changed, {
        successor: bestCandidate(context, changed, [peer.id]),
        reason: 'holder_gone',
        detail: leaving.terminated
          ? 'Its holder was terminated.'
          : 'Its holder was detached from the network.',
        terms: await termsOfHolder(context, row),
        terminated: leaving.terminated,
      })
    : changed;
  context.event('sdwan.virtual_ip.updated', { before: showVirtualIp(row), after: showVirtualIp(after) });
}

/**
 * A peer that is back is a candidate of the virtual IPs that it was a candidate of, at its place among those that there
 * are now. Whoever holds one goes on holding it; where nobody could, the failover controller finds that it can.
 */
export async function rejoinVirtualIps(
  context: ActionContext,
  peerId: string,
  former: readonly FormerCandidacy[],
): Promise<string[]> {
  const names: string[] = [];
  for (const { virtual_ip_id: id, place } of former) {
    const row = await context.trx
      .selectFrom('virtual_ips')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) continue;
    const others = (await present(context, candidateIds(row))).filter((one) => one !== peerId);
    const [primary = peerId, ...failover] = [...others.slice(0, place), peerId, ...others.slice(place)];
    const after = await writeVirtualIp(context, row, {
      primary_holder_peer_id: primary,
      failover_holder_peer_ids: JSON.stringify(failover),
    });
    context.event('sdwan.virtual_ip.updated', { before: showVirtualIp(row), after: showVirtualIp(after) });
    names.push(row.name);
  }
  return names;
}

/** Those of the peers that are there; the primary one may be gone. */
async function present(context: ActionContext, ids: readonly string[]): Promise<string[]> {
  const rows = await context.trx
    .selectFrom('peers')
    .select('id')
    .where('id', 'in', [...ids])
    .execute();
  const there = new Set(rows.map((row) => row.id));
  return ids.filter((id) => there.has(id));
}
