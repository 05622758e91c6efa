// Rows of the health of virtual IPs' holders, and which of them turned from failing to well, or back.
import type { AccountId, Id, NetworkId, PeerId } from '@powernode/core/ids';
import type { HolderHealth } from '@powernode/core/intent/virtual-ip';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../../store/tables.ts';

export interface HealthReport {
  readonly virtualIpId: Id<'virtual_ip'>;
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  /** null: there is no such check any more. */
  readonly health: HolderHealth | null;
  readonly since: Date;
  readonly lastError: string | null;
  readonly observedAt: Date;
}

type Key = Pick<HealthReport, 'virtualIpId' | 'peerId'>;

/** The reports that turned a holder to failing, or from failing to healthy. */
export async function writeHealth(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly HealthReport[],
): Promise<HealthReport[]> {
  const before = await healthBefore(trx, accountId, reports);
  const present = reports.filter(({ health }) => health !== null);
  for (const { virtualIpId, peerId, health } of reports) {
    if (health !== null) continue;
    await trx
      .deleteFrom('virtual_ip_health')
      .where('virtual_ip_id', '=', virtualIpId)
      .where('peer_id', '=', peerId)
      .execute();
  }
  const written = await upsert(trx, accountId, present);
  return present.filter((report) => {
    // One whose peer or virtual IP has gone meanwhile has no row, and nobody to tell of it.
    if (!written.has(keyOf(report))) return false;
    const was = before.get(keyOf(report)) ?? 'unknown';
    return report.health === 'failing' ? was !== 'failing' : report.health === 'healthy' && was === 'failing';
  });
}

function keyOf({ virtualIpId, peerId }: Key): string {
  return `${virtualIpId} ${peerId}`;
}

/** Nobody else writes these until the transaction has ended. */
async function healthBefore(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly HealthReport[],
): Promise<ReadonlyMap<string, HolderHealth>> {
  if (reports.length === 0) return new Map();
  const rows = await trx
    .selectFrom('virtual_ip_health')
    .select(['virtual_ip_id', 'peer_id', 'health'])
    .where('account_id', '=', accountId)
    .where('peer_id', 'in', [...new Set(reports.map(({ peerId }) => peerId))])
    .orderBy('virtual_ip_id')
    .orderBy('peer_id')
    .forUpdate()
    .execute();
  return new Map(
    rows.map((row) => [keyOf({ virtualIpId: row.virtual_ip_id, peerId: row.peer_id }), row.health]),
  );
}

/** The keys of those that were written: the peer and the virtual IP are still there. */
async function upsert(
  trx: Transaction<Database>,
  accountId: AccountId,
  reports: readonly HealthReport[],
): Promise<ReadonlySet<string>> {
  if (reports.length === 0) return new Set();
  const values = reports.map((report) => ({
    virtual_ip_id: report.virtualIpId,
    peer_id: report.peerId,
    health: report.health,
    since: report.since,
    last_error: report.lastError,
    observed_at: report.observedAt,
  }));
  const { rows } = await sql<{ virtual_ip_id: string; peer_id: string }>`
    insert into virtual_ip_health (
      account_id, virtual_ip_id, peer_id, health, since, last_error, observed_at)
    select ip.account_id, ip.id, p.id, v.health, v.since, v.last_error, v.observed_at
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(
      virtual_ip_id uuid, peer_id uuid, health text, since timestamptz, last_error text,
      observed_at timestamptz)
    join virtual_ips ip on ip.id = v.virtual_ip_id and ip.account_id = ${accountId}
    join peers p on p.id = v.peer_id and p.network_id = ip.network_id
    on conflict (virtual_ip_id, peer_id) do update set
      health = excluded.health, since = excluded.since, last_error = excluded.last_error,
      observed_at = excluded.observed_at
    returning virtual_ip_id, peer_id
  `.execute(trx);
  return new Set(rows.map((row) => keyOf({ virtualIpId: row.virtual_ip_id, peerId: row.peer_id })));
}
