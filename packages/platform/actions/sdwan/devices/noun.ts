// Devices of people, as the shared parts know them.
import { sql } from 'kysely';
import type { ActionContext, Departure, Names, Noun } from '../../context.ts';
import { addressesInRows } from '../addresses-in-rows.ts';
import { loadUserDevices } from './model.ts';
import { reportStaleDevices } from './stale-events.ts';
import { userDeviceHandlers } from './user-devices.ts';

export const userDeviceNoun = {
  kind: 'user_device',
  table: 'user_devices',
  handlers: userDeviceHandlers,
  names: deviceNames,
  items: loadUserDevices,
  isReferredTo: true,
  consequences: reportStaleDevices,
  dependents: noteDevices,
  inNetwork: { called: 'device', ending: ' and is cut off', count: countDevices },
  addresses: addressesInRows({
    table: 'user_devices',
    ipv6: 'host_address',
    called: sql`'the device ' || had.id`,
    onlyIf: sql`had.revoked_at is null`,
  }),
} satisfies Noun;

/** Of devices that are not shut out. */
async function deviceNames(context: ActionContext, ids: readonly string[]): Promise<Names> {
  if (ids.length === 0) return new Map();
  const rows = await context.trx
    .selectFrom('user_devices')
    .select(['id', 'name'])
    .where('account_id', '=', context.accountId)
    .where('revoked_at', 'is', null)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}

async function countDevices(context: ActionContext, networkId: string): Promise<number> {
  const { count } = await context.trx
    .selectFrom('user_devices')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', networkId)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return count;
}

/** Notes of plans: devices whose hub is deleted. */
async function noteDevices(context: ActionContext, of: Departure): Promise<void> {
  const rows = await context.trx
    .selectFrom('user_devices')
    .select(['name', 'hub_peer_id'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const hub = of.byId.get(row.hub_peer_id);
    if (hub === undefined) continue;
    context.note(
      'dependent',
      `The device "${row.name}" calls ${hub.name}: it is disconnected and has to be reissued.`,
    );
  }
}
