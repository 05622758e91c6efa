// Devices of people as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { UserDeviceModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type UserDeviceRow = Selectable<Database['user_devices']>;

/** null: it is shut out. */
export function userDeviceModel(row: UserDeviceRow): UserDeviceModel | null {
  if (row.revoked_at !== null) return null;
  return {
    type: 'user_device',
    id: row.id,
    networkId: row.network_id,
    publicKey: row.public_key,
    addresses: row.ipv4_address === null ? [row.host_address] : [row.host_address, row.ipv4_address],
    hubPeerId: row.hub_peer_id,
    tags: [...row.tags].sort(),
  };
}

/** Of all networks that the transaction sees. */
export async function loadUserDevices(trx: Transaction<Database>): Promise<UserDeviceModel[]> {
  const rows = await trx
    .selectFrom('user_devices')
    .selectAll()
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.flatMap((row) => userDeviceModel(row) ?? []);
}
