// Devices as the outside sees them: what they were given, whether that is still right, and what their hub sees.
import type { UserDevice, userDeviceWithConfig } from '@powernode/core/intent/user-device';
import { sql } from 'kysely';
import type { z } from 'zod';
import { stored, timeOrNull } from '../../accounts/present.ts';
import type { ActionContext } from '../../context.ts';
import { configText } from './config.ts';
import { type Homes, homesOf } from './homes.ts';
import type { UserDeviceRow } from './model.ts';
import { appliedOf, revokedOn } from './revocation.ts';

export async function showUserDevice(context: ActionContext, row: UserDeviceRow): Promise<UserDevice> {
  const [device] = await showUserDevices(context, [row]);
  if (device === undefined) throw new Error('a device that was just read is not shown');
  return device;
}

export async function showUserDevices(
  context: ActionContext,
  rows: readonly UserDeviceRow[],
): Promise<UserDevice[]> {
  const homes = await homesOf(context.trx, { accountId: context.accountId, devices: rows });
  const seen = await seenByHubs(context, rows);
  const { trx, services } = context;
  const applied = await appliedOf({ trx, deliverer: services.deliverer }, rows);
  return rows.map((row) => ({
    ...show(row, homes),
    revoked_on: revokedOn(applied, row),
    ...seen(row),
  }));
}

export async function showUserDeviceWithConfig(
  context: ActionContext,
  row: UserDeviceRow,
): Promise<z.output<typeof userDeviceWithConfig>> {
  const homes = await homesOf(context.trx, { accountId: context.accountId, devices: [row] });
  return { ...(await showUserDevice(context, row)), config: configOf(row, homes) };
}

/** As it would be given today, on the hub that knows the device. */
function configOf(row: UserDeviceRow, homes: Homes): string {
  if (row.revoked_at !== null) return '# This device is revoked.\n';
  const facts = homes.facts(row);
  return facts === null ? `# ${homes.staleReason(row)}\n` : configText(facts);
}

type Seen = Pick<UserDevice, 'last_handshake_at' | 'rx_bytes' | 'tx_bytes'>;

function show(row: UserDeviceRow, homes: Homes): Omit<UserDevice, keyof Seen | 'revoked_on'> {
  const reason = row.revoked_at === null ? homes.staleReason(row) : null;
  return {
    ...stored(row),
    network_id: row.network_id,
    access_grant_id: row.access_grant_id,
    name: row.name,
    public_key: row.public_key,
    host_address: row.host_address,
    ipv4_address: row.ipv4_address,
    hub_peer_id: row.hub_peer_id,
    hub_hostname: homes.hub(row)?.hostname ?? '',
    tags: row.tags,
    status: row.revoked_at !== null ? 'revoked' : reason === null ? 'active' : 'stale',
    stale_reason: reason,
    revoked_at: timeOrNull(row.revoked_at),
  };
}

/** What the hub of each device has observed of it. What a hub received, the device has sent. */
async function seenByHubs(
  context: ActionContext,
  rows: readonly UserDeviceRow[],
): Promise<(row: UserDeviceRow) => Seen> {
  const nothing: Seen = { last_handshake_at: null, rx_bytes: null, tx_bytes: null };
  if (rows.length === 0) return () => nothing;
  const found = await sql<{ id: string; last: Date | null; rx: number; tx: number }>`
    select d.id::text as id, o.last_handshake_at as last, o.rx_bytes as rx, o.tx_bytes as tx
    from user_devices d
    join peers h on h.id = d.hub_peer_id
    join networks n on n.id = d.network_id
    join tunnel_observations o on o.instance_id = h.instance_id and o.public_key = d.public_key
      and o.interface = 'wg-' || n.handle
    where d.account_id = ${context.accountId} and d.id = any(${rows.map((row) => row.id)}::uuid[])
  `.execute(context.trx);
  const byId = new Map(found.rows.map((row) => [row.id, row]));
  return ({ id }) => {
    const seen = byId.get(id);
    if (seen === undefined) return nothing;
    return { last_handshake_at: timeOrNull(seen.last), rx_bytes: seen.tx, tx_bytes: seen.rx };
  };
}
