// Handlers: people's devices.

import { ProductError } from '@powernode/core/errors';
import { sql } from 'kysely';
import { type ActionContext, checkRevision, type HandlersOf, notFound } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { noteDependents } from '../dependents.ts';
import { itemChanged } from '../item-changed.ts';
import { releaseAddresses } from '../peers/allocation.ts';
import { networkRow } from '../rows.ts';
import { lockGrant } from './access-grants.ts';
import { chosenFamily, endpointWarning } from './config.ts';
import { homesOf } from './homes.ts';
import { issueDevice } from './issue.ts';
import { type UserDeviceRow, userDeviceModel } from './model.ts';
import { showUserDevice, showUserDevices, showUserDeviceWithConfig } from './present-user-device.ts';
import { revokedOnSoon, takenFromHub } from './revocation.ts';

export const userDeviceHandlers: HandlersOf<
  'issueUserDevice' | 'listUserDevices' | 'getUserDevice' | 'updateUserDevice' | 'revokeUserDevice'
> = {
  async issueUserDevice(context, input) {
    await context.lock();
    const network = await networkRow(context, input.network_id);
    const grant = await lockGrant(context, input.access_grant_id);
    if (grant.network_id !== network.id) {
      throw new ProductError('conflict', `The access grant ${grant.id} is for another network.`, {
        fields: [{ path: 'network_id', code: 'other_network', message: 'does not match the access grant' }],
      });
    }
    const known = chosenFamily(input.endpoint_family);
    const { shown } = await issueDevice(context, {
      grant,
      publicKey: input.public_key,
      name: input.name ?? null,
      deviceId: input.user_device_id ?? null,
      // The operator's own says nothing of the device's.
      known,
    });
    return { user_device: shown, endpoint_warning: endpointWarning(shown, known) };
  },

  async listUserDevices(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    let query = context.trx
      .selectFrom('user_devices')
      .selectAll('user_devices')
      .where('account_id', '=', context.accountId);
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.tag !== undefined) query = query.where(sql<boolean>`tags ? ${input.tag}`);
    if (input.status === 'revoked') query = query.where('revoked_at', 'is not', null);
    else if (input.status !== undefined) {
      const stale = await staleIds(context, input.network_id);
      query = query
        .where('revoked_at', 'is', null)
        .where(
          input.status === 'stale'
            ? sql<boolean>`user_devices.id = any(${stale}::uuid[])`
            : sql<boolean>`user_devices.id <> all(${stale}::uuid[])`,
        );
    }
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { user_devices: await showUserDevices(context, found.rows), ...pageAnswer(found) };
  },

  async getUserDevice(context, input) {
    const row = await deviceRow(context, input.user_device_id);
    return { user_device: await showUserDeviceWithConfig(context, row) };
  },

  async updateUserDevice(context, input) {
    await context.lock();
    const before = await deviceRow(context, input.user_device_id);
    checkRevision(before, input);
    if (before.revoked_at !== null) {
      throw new ProductError('conflict', `The device "${before.name}" is revoked and cannot be changed.`);
    }
    const shownBefore = await showUserDevice(context, before);
    const after = await context.trx
      .updateTable('user_devices')
      .set({
        name: input.name ?? before.name,
        tags: JSON.stringify(input.tags ?? before.tags),
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, userDeviceModel, { before, after });
    const device = await showUserDevice(context, after);
    context.event('sdwan.user_device.updated', { before: shownBefore, after: device });
    return { user_device: device };
  },

  async revokeUserDevice(context, input) {
    await context.lock();
    const before = await deviceRow(context, input.user_device_id);
    checkRevision(before, input);
    if (before.revoked_at !== null) return { user_device: await showUserDevice(context, before) };
    const shownBefore = await showUserDevice(context, before);
    await noteDependents(context, { devices: [before], isForGood: true });
    const after = await context.trx
      .updateTable('user_devices')
      .set({
        revoked_at: context.now,
        taken_from: JSON.stringify(await takenFromHub(context, before)),
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await releaseAddresses(context, {
      networkId: before.network_id,
      ownerId: before.id,
      addresses: [before.host_address, before.ipv4_address],
    });
    itemChanged(context, userDeviceModel, { before, after: null });
    const device = await showUserDevice(context, after);
    context.event('sdwan.user_device.revoked', { before: shownBefore, after: device });
    const { deliverer } = context.services;
    context.answerAfterCommit(async (read) => ({
      user_device: { ...device, revoked_on: await revokedOnSoon(deliverer, after, read) },
    }));
    return { user_device: device };
  },
};

async function deviceRow(context: ActionContext, id: string): Promise<UserDeviceRow> {
  const row = await context.trx
    .selectFrom('user_devices')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('user device', id);
  return row;
}

/** Which devices are outdated follows from what they were given, which SQL cannot compare. */
async function staleIds(context: ActionContext, networkId: string | undefined): Promise<string[]> {
  let query = context.trx
    .selectFrom('user_devices')
    .select(['id', 'network_id', 'hub_peer_id', 'host_address', 'ipv4_address', 'config_digest'])
    .where('account_id', '=', context.accountId)
    .where('revoked_at', 'is', null);
  if (networkId !== undefined) query = query.where('network_id', '=', networkId);
  const devices = await query.execute();
  const homes = await homesOf(context.trx, { accountId: context.accountId, devices });
  return devices.filter((device) => homes.staleReason(device) !== null).map((device) => device.id);
}
