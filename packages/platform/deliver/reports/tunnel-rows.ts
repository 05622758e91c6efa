// The statements that write what nodes see of their tunnels, and the events of peers that came or went silent.
import type { AccountId } from '@powernode/core/ids';
import type { Event } from '@powernode/core/intent/fleet';
import { sql, type Transaction } from 'kysely';
import { writeEvents } from '../../events/write-events.ts';
import type { Database } from '../../store/tables.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { HandshakeRecord, Transition } from './peer-handshakes.ts';
import type { Renewal, TunnelReport, TunnelRow } from './tunnels.ts';

export interface TunnelBatch {
  readonly accountId: AccountId;
  readonly report: TunnelReport;
  readonly clock: Pick<Clock, 'now'>;
}

/** Answers the events to publish. */
export async function writeTunnels(trx: Transaction<Database>, batch: TunnelBatch): Promise<Event[]> {
  const { report } = batch;
  if (report.rows.length > 0) await upsert(trx, report.rows, batch);
  if (report.renewals.length > 0) await forgetOthers(trx, report.renewals, batch);
  return report.transitions.length > 0 ? writeTransitions(trx, batch) : [];
}

async function upsert(
  trx: Transaction<Database>,
  rows: readonly TunnelRow[],
  { accountId, clock }: TunnelBatch,
): Promise<void> {
  await sql`
    insert into tunnel_observations as o
      (account_id, instance_id, interface, public_key, last_handshake_at, rx_bytes, tx_bytes, endpoint, observed_at)
    select i.account_id, v.instance_id, v.interface, v.public_key, v.last_handshake_at, v.rx_bytes, v.tx_bytes,
           v.endpoint, ${new Date(clock.now())}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v(
      instance_id uuid, interface text, public_key text, last_handshake_at timestamptz,
      rx_bytes bigint, tx_bytes bigint, endpoint text)
    join instances i on i.id = v.instance_id and i.account_id = ${accountId} and i.terminated_at is null
    order by v.instance_id, v.interface, v.public_key
    on conflict (instance_id, interface, public_key) do update
    set last_handshake_at = excluded.last_handshake_at, rx_bytes = excluded.rx_bytes,
        tx_bytes = excluded.tx_bytes, endpoint = excluded.endpoint, observed_at = excluded.observed_at
  `.execute(trx);
}

async function forgetOthers(
  trx: Transaction<Database>,
  renewals: readonly Renewal[],
  { accountId }: TunnelBatch,
): Promise<void> {
  const values = renewals.map(({ instanceId, sinceMs }) => ({
    instance_id: instanceId,
    since: new Date(sinceMs),
  }));
  await sql`
    delete from tunnel_observations o
    using jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(instance_id uuid, since timestamptz)
    where o.account_id = ${accountId} and o.instance_id = v.instance_id and o.observed_at < v.since
  `.execute(trx);
}

async function writeTransitions(
  trx: Transaction<Database>,
  { accountId, report, clock }: TunnelBatch,
): Promise<Event[]> {
  const hostnames = await hostnamesOf(trx, report.transitions);
  const drafts = report.transitions.map(({ record, to, lastHandshakeMs }) =>
    makeEvent(clock, {
      accountId,
      kind: `sdwan.peer.${to}`,
      severity: to === 'silent' ? 'warning' : 'info',
      instance: null,
      payload: {
        peer_id: record.peerId,
        network_id: record.networkId,
        node_instance_id: record.instanceId,
        hostname: hostnames.get(record.instanceId) ?? null,
        last_handshake_at: new Date(lastHandshakeMs).toISOString(),
      },
    }),
  );
  return writeEvents(trx, drafts);
}

async function hostnamesOf(
  trx: Transaction<Database>,
  transitions: readonly Transition[],
): Promise<Map<string, string>> {
  const ids = [...new Set(transitions.map(({ record }) => record.instanceId))];
  const { rows } = await sql<{ id: string; hostname: string }>`
    select id, hostname from instances where id = any(${ids}::uuid[])
  `.execute(trx);
  return new Map(rows.map((row) => [row.id, row.hostname]));
}

/** The newest handshakes by the stored rows, which other platform processes write too. */
export async function newestHandshakes(
  trx: Transaction<Database>,
  records: readonly HandshakeRecord[],
): Promise<Map<string, number>> {
  const keys = records.map((record) => record.publicKey);
  const { rows } = await sql<{ public_key: string; last: Date | null }>`
    select public_key, max(last_handshake_at) as last from tunnel_observations
    where public_key = any(${keys}::text[]) group by public_key
  `.execute(trx);
  return new Map(rows.flatMap((row) => (row.last === null ? [] : [[row.public_key, row.last.getTime()]])));
}
