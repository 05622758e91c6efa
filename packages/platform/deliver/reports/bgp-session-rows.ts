// Rows of sessions of BGP: which of them turned from established to not, or back, and whose announcements began to be
// refused, or are not any more.
import type { AccountId, NetworkId, PeerId } from '@powernode/core/ids';
import type { BgpState } from '@powernode/core/intent/bgp';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Database } from '../../store/tables.ts';

export interface SessionReport {
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  readonly neighborId: PeerId;
  /** null: there is no such session any more. */
  readonly state: BgpState | null;
  readonly establishedAt: Date | null;
  readonly prefixesReceived: number;
  readonly lastError: string | null;
  /** null: nothing is; undefined: the node does not know. */
  readonly refused: Refused | null | undefined;
  readonly observedAt: Date;
  /** The last reset that the node says it did; null: none. */
  readonly resetDone: string | null;
}

/** Announcements of the neighbor that were refused. */
export interface Refused {
  readonly ipv4: number;
  readonly ipv6: number;
  readonly since: Date;
}

export type SessionTurn = { readonly report: SessionReport } & (
  | { readonly kind: 'established' /** Since when it was not. */; readonly downSince: Date | null }
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused' | 'refusal_ended'; readonly refused: Refused }
);

type RowBefore = Pick<
  Selectable<Database['bgp_sessions']>,
  | 'state'
  | 'down_since'
  | 'recovered_at'
  | 'refused_ipv4'
  | 'refused_ipv6'
  | 'refused_since'
  | 'refused_until'
>;

export async function writeSessions(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly SessionReport[],
): Promise<SessionTurn[]> {
  const before = await rowsBefore(trx, accountId, reports);
  const present = reports.filter(({ state }) => state !== null);
  await removeEnded(trx, reports);
  const written = await upsert(trx, accountId, present, before);
  return present.flatMap((report) => {
    // One whose peer has gone meanwhile has no row, and nobody to tell of it.
    return written.has(keyOf(report)) ? turnsOf(report, before.get(keyOf(report))) : [];
  });
}

function turnsOf(report: SessionReport, was: RowBefore | undefined): SessionTurn[] {
  const turns: SessionTurn[] = [];
  const isUp = report.state === 'Established';
  if (isUp !== (was?.state === 'Established')) {
    turns.push(
      isUp ? { report, kind: 'established', downSince: was?.down_since ?? null } : { report, kind: 'lost' },
    );
  }
  const before = was === undefined ? null : refusedNow(was);
  const after = report.refused === undefined ? before : report.refused;
  if (before === null && after !== null) turns.push({ report, kind: 'refused', refused: after });
  if (before !== null && after === null) turns.push({ report, kind: 'refusal_ended', refused: before });
  return turns;
}

/** null: nothing is refused at present. */
export function refusedNow(
  row: Pick<RowBefore, 'refused_ipv4' | 'refused_ipv6' | 'refused_since' | 'refused_until'>,
): Refused | null {
  const { refused_ipv4: ipv4, refused_ipv6: ipv6, refused_since: since, refused_until: until } = row;
  return since === null || until !== null ? null : { ipv4, ipv6, since };
}

export interface DoneReset {
  readonly report: SessionReport;
  readonly requestedAt: Date;
}

/** Takes down which resets nodes have done: of each the last one that was asked for, and the first time that it is said. */
export async function writeDoneResets(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly SessionReport[],
): Promise<DoneReset[]> {
  const said = reports.filter(({ resetDone }) => resetDone !== null);
  if (said.length === 0) return [];
  const values = said.map(({ peerId, neighborId, resetDone, observedAt }) => ({
    peer_id: peerId,
    neighbor_id: neighborId,
    reset_id: resetDone,
    observed_at: observedAt,
  }));
  const { rows } = await sql<{ peer_id: PeerId; neighbor_id: PeerId; requested_at: Date }>`
    update bgp_session_resets r set done_at = v.observed_at
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(
      peer_id uuid, neighbor_id uuid, reset_id uuid, observed_at timestamptz)
    where r.account_id = ${accountId} and r.peer_id = v.peer_id and r.neighbor_id = v.neighbor_id
      and r.reset_id = v.reset_id and r.done_at is null
    returning r.peer_id, r.neighbor_id, r.requested_at
  `.execute(trx);
  const byKey = new Map(said.map((report) => [keyOf(report), report]));
  return rows.flatMap((row) => {
    const report = byKey.get(keyOf({ peerId: row.peer_id, neighborId: row.neighbor_id }));
    return report === undefined ? [] : [{ report, requestedAt: row.requested_at }];
  });
}

function keyOf({ peerId, neighborId }: Pick<SessionReport, 'peerId' | 'neighborId'>): string {
  return `${peerId} ${neighborId}`;
}

/** Nobody else writes these until the transaction has ended. */
async function rowsBefore(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly SessionReport[],
): Promise<ReadonlyMap<string, RowBefore>> {
  if (reports.length === 0) return new Map();
  const rows = await trx
    .selectFrom('bgp_sessions')
    .select(['peer_id', 'neighbor_id', 'state', 'down_since', 'recovered_at'])
    .select(['refused_ipv4', 'refused_ipv6', 'refused_since', 'refused_until'])
    .where('account_id', '=', accountId)
    .where('peer_id', 'in', [...new Set(reports.map(({ peerId }) => peerId))])
    .orderBy('peer_id')
    .orderBy('neighbor_id')
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [keyOf({ peerId: row.peer_id, neighborId: row.neighbor_id }), row]));
}

async function removeEnded(trx: Transaction<Database>, reports: readonly SessionReport[]): Promise<void> {
  for (const { peerId, neighborId, state } of reports) {
    if (state !== null) continue;
    await trx
      .deleteFrom('bgp_sessions')
      .where('peer_id', '=', peerId)
      .where('neighbor_id', '=', neighborId)
      .execute();
  }
}

/** The keys of those that were written: both peers are still there. */
async function upsert(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly SessionReport[],
  before: ReadonlyMap<string, RowBefore>,
): Promise<ReadonlySet<string>> {
  if (reports.length === 0) return new Set();
  const values = reports.map((report) => ({
    network_id: report.networkId,
    peer_id: report.peerId,
    neighbor_id: report.neighborId,
    state: report.state,
    established_at: report.state === 'Established' ? report.establishedAt : null,
    ...timesOf(report, before.get(keyOf(report))),
    ...refusedOf(report, before.get(keyOf(report))),
    prefixes_received: report.prefixesReceived,
    last_error: report.lastError,
    observed_at: report.observedAt,
  }));
  const { rows } = await sql<{ peer_id: PeerId; neighbor_id: PeerId }>`
    insert into bgp_sessions (
      account_id, network_id, peer_id, neighbor_id, state, established_at, down_since, recovered_at,
      prefixes_received, last_error, refused_ipv4, refused_ipv6, refused_since, refused_until, observed_at)
    select p.account_id, p.network_id, p.id, n.id, v.state, v.established_at, v.down_since, v.recovered_at,
      v.prefixes_received, v.last_error, v.refused_ipv4, v.refused_ipv6, v.refused_since, v.refused_until,
      v.observed_at
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(
      network_id uuid, peer_id uuid, neighbor_id uuid, state text, established_at timestamptz,
      down_since timestamptz, recovered_at timestamptz, prefixes_received bigint, last_error text,
      refused_ipv4 bigint, refused_ipv6 bigint, refused_since timestamptz, refused_until timestamptz,
      observed_at timestamptz)
    join peers p on p.id = v.peer_id and p.network_id = v.network_id and p.account_id = ${accountId}
    join peers n on n.id = v.neighbor_id and n.network_id = v.network_id
    on conflict (peer_id, neighbor_id) do update set
      state = excluded.state, established_at = excluded.established_at, down_since = excluded.down_since,
      recovered_at = excluded.recovered_at, prefixes_received = excluded.prefixes_received,
      last_error = excluded.last_error, refused_ipv4 = excluded.refused_ipv4,
      refused_ipv6 = excluded.refused_ipv6, refused_since = excluded.refused_since,
      refused_until = excluded.refused_until, observed_at = excluded.observed_at
    returning peer_id, neighbor_id
  `.execute(trx);
  return new Set(rows.map((row) => keyOf({ peerId: row.peer_id, neighborId: row.neighbor_id })));
}

/** The last time for which it was down, or has been until now. */
function timesOf(
  { state, observedAt }: SessionReport,
  was: RowBefore | undefined,
): Pick<RowBefore, 'down_since' | 'recovered_at'> {
  const isUp = state === 'Established';
  if (was === undefined) return { down_since: isUp ? null : observedAt, recovered_at: null };
  const { down_since, recovered_at } = was;
  const wasUp = was.state === 'Established';
  if (isUp === wasUp) return { down_since, recovered_at };
  return isUp ? { down_since, recovered_at: observedAt } : { down_since: observedAt, recovered_at: null };
}

/** The last time for which announcements were refused, or have been until now. */
function refusedOf(
  { refused, observedAt }: SessionReport,
  was: RowBefore | undefined,
): Pick<RowBefore, 'refused_ipv4' | 'refused_ipv6' | 'refused_since' | 'refused_until'> {
  const before = was ?? { refused_ipv4: 0, refused_ipv6: 0, refused_since: null, refused_until: null };
  const { refused_ipv4, refused_ipv6, refused_since, refused_until } = before;
  const now = refusedNow(before);
  if (refused === undefined || (refused === null && now === null)) {
    return { refused_ipv4, refused_ipv6, refused_since, refused_until };
  }
  if (refused === null) return { refused_ipv4, refused_ipv6, refused_since, refused_until: observedAt };
  const counts = { refused_ipv4: refused.ipv4, refused_ipv6: refused.ipv6 };
  // An agent that was started anew counts from then on; the time goes on.
  return { ...counts, refused_since: now?.since ?? refused.since, refused_until: null };
}
