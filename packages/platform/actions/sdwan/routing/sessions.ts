// Handlers: sessions of BGP, from documents and from what nodes say of them.
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { BgpSession } from '@powernode/core/intent/bgp';
import { uptimeText } from '@powernode/core/routing/uptime';
import { type Selectable, sql } from 'kysely';
import { refusedNow } from '../../../deliver/reports/bgp-session-rows.ts';
import type { Database } from '../../../store/tables.ts';
import { timeOrNull } from '../../accounts/present.ts';
import { type ActionContext, type HandlersOf, notFound } from '../../context.ts';
import { pageOf } from '../../paging.ts';
import { peerNames } from '../peers/peer-names.ts';
import { networkRow, peerRow } from '../rows.ts';
import { type SessionEnd, sessionEndsOf, sessionIdOf } from './session-ends.ts';
import type { SessionResetRow } from './session-resets.ts';

export type SessionRow = Selectable<Database['bgp_sessions']>;

export interface KnownSession extends SessionEnd {
  /** null: nobody has reported it yet. */
  readonly row: SessionRow | null;
  /** The last time that it was to be cleared; null: it never was. */
  readonly reset: SessionResetRow | null;
}

export const sessionHandlers: HandlersOf<'getBgpSessions' | 'getBgpSession'> = {
  async getBgpSessions(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    if (input.peer_id !== undefined) await peerRow(context, input.peer_id);
    const all = (await sessionsOf(context, input)).filter(
      ({ row }) => input.state === undefined || (row?.state ?? 'Idle') === input.state,
    );
    const { rows, answer } = pageOf(all.map(pairOf), input);
    const byPair = new Map(all.map((one) => [pairOf(one), one]));
    const shown = rows.flatMap((pair) => byPair.get(pair) ?? []);
    return { sessions: await showSessions(context, shown), ...answer };
  },

  async getBgpSession(context, { bgp_session_id: id }) {
    for (const index of await indexesOf(context, undefined)) {
      if (index.network.asNumber === undefined) continue;
      for (const end of sessionEndsOf(index)) {
        if (sessionIdOf(end) !== id) continue;
        const of = { network_id: index.network.id, peer_id: end.peer.id };
        const found = (await sessionsOf(context, of)).filter((one) => one.neighbor.id === end.neighbor.id);
        const [session] = await showSessions(context, found);
        if (session !== undefined) return { session };
      }
    }
    throw notFound('BGP session', id);
  },
};

function pairOf({ peer, neighbor }: SessionEnd): string {
  return `${peer.id} ${neighbor.id}`;
}

/** Of the networks that speak BGP, in a fixed order. */
export async function sessionsOf(
  context: ActionContext,
  of: { readonly network_id?: string | undefined; readonly peer_id?: string | undefined },
): Promise<KnownSession[]> {
  const indexes = await indexesOf(context, of.network_id);
  const speaking = indexes.filter(({ network }) => network.asNumber !== undefined);
  if (speaking.length === 0) return [];
  const networkIds = speaking.map(({ network }) => network.id);
  const rows = await rowsByPair('bgp_sessions', context, { networkIds, peerId: of.peer_id });
  const resets = await rowsByPair('bgp_session_resets', context, { networkIds, peerId: of.peer_id });
  return speaking
    .flatMap((index) => [...sessionEndsOf(index)])
    .filter(({ peer }) => of.peer_id === undefined || peer.id === of.peer_id)
    .map((end) => ({ ...end, row: rows.get(pairOf(end)) ?? null, reset: resets.get(pairOf(end)) ?? null }))
    .sort((a, b) => (pairOf(a) < pairOf(b) ? -1 : 1));
}

interface SessionPair {
  readonly peer_id: string;
  readonly neighbor_id: string;
}

/** By peer and neighbor. */
async function rowsByPair<Table extends 'bgp_sessions' | 'bgp_session_resets'>(
  table: Table,
  context: ActionContext,
  of: { readonly networkIds: readonly string[]; readonly peerId: string | undefined },
): Promise<ReadonlyMap<string, Selectable<Database[Table]>>> {
  const { rows } = await sql<Selectable<Database[Table]> & SessionPair>`
    select * from ${sql.table(table)}
    where account_id = ${context.accountId} and network_id = any(${[...of.networkIds]}::uuid[])
      and (${of.peerId ?? null}::uuid is null or peer_id = ${of.peerId ?? null}::uuid)
  `.execute(context.trx);
  return new Map(rows.map((row) => [`${row.peer_id} ${row.neighbor_id}`, row]));
}

/** The networks of the account as delivery has them. */
export async function indexesOf(
  context: ActionContext,
  networkId: string | undefined,
): Promise<NetworkIndex[]> {
  let query = context.trx.selectFrom('networks').select('id').where('account_id', '=', context.accountId);
  if (networkId !== undefined) query = query.where('id', '=', networkId);
  const networks = await query.orderBy('id').execute();
  return networks.flatMap(({ id }) => context.services.deliverer.network(id) ?? []);
}

export async function showSessions(
  context: ActionContext,
  sessions: readonly KnownSession[],
): Promise<BgpSession[]> {
  const ids = new Set(sessions.flatMap(({ peer, neighbor }) => [peer.id, neighbor.id]));
  const names = await peerNames(context, [...ids]);
  return sessions.map((session) => {
    const { peer, neighbor, row, reset } = session;
    const isStale = !context.services.deliverer.nodeDelivery(peer.instanceId).connected;
    const seconds = uptimeSeconds(row, isStale ? (row?.observed_at ?? context.now) : context.now);
    return {
      id: sessionIdOf(session),
      network_id: peer.networkId,
      peer_id: peer.id,
      hostname: names.get(peer.id) ?? '',
      neighbor_id: neighbor.id,
      neighbor_hostname: names.get(neighbor.id) ?? '',
      state: row?.state ?? 'Idle',
      uptime: seconds === null ? null : uptimeText(seconds),
      uptime_seconds: seconds,
      prefixes_received: row?.prefixes_received ?? 0,
      last_error: row?.last_error ?? null,
      refused: shownRefusal(row),
      observed_at: timeOrNull(row?.observed_at ?? null),
      stale: isStale,
      last_reset:
        reset === null
          ? null
          : { requested_at: reset.requested_at.toISOString(), done_at: timeOrNull(reset.done_at) },
    };
  });
}

/** null: nothing is refused at present. */
export function shownRefusal(row: SessionRow | null): BgpSession['refused'] {
  const refused = row === null ? null : refusedNow(row);
  return refused === null ? null : { ...refused, since: refused.since.toISOString() };
}

function uptimeSeconds(row: SessionRow | null, until: Date): number | null {
  if (row === null || row.state !== 'Established' || row.established_at === null) return null;
  return Math.max(0, Math.floor((until.getTime() - row.established_at.getTime()) / 1000));
}
