// Issuing a device: a grant is used up, an address is given, the hub lets the key in, all in one transaction.

import { ProductError } from '@powernode/core/errors';
import { userDevicesPerNetworkMax } from '@powernode/core/limits/overlay';
import type { Family } from '@powernode/core/net/address';
import { accessGrantLosses, type MakerLoss } from '../../../access/maker-rights.ts';
import { sqlStateOf } from '../../../store/database-errors.ts';
import { readInPlatform } from '../../../store/tenancy.ts';
import { statusOfOnce } from '../../accounts/present.ts';
import { type ActionContext, notFound } from '../../context.ts';
import { itemChanged } from '../item-changed.ts';
import { tunnelsModel } from '../networks/model.ts';
import { takeServiceAddress } from '../peers/allocation.ts';
import { type NetworkRow, networkRow } from '../rows.ts';
import { configDigest, configFacts, familyOfEndpoint, type KnownFamily } from './config.ts';
import { addressesOf, chooseHub } from './homes.ts';
import { type UserDeviceRow, userDeviceModel } from './model.ts';
import { type AccessGrantRow, showAccessGrant } from './present-access-grant.ts';
import { showUserDevice, showUserDeviceWithConfig } from './present-user-device.ts';
import { takenFromHub } from './revocation.ts';

export interface Issue {
  /** Read and held by the caller. */
  readonly grant: AccessGrantRow;
  readonly publicKey: string;
  /** null: as the grant hints, or as the device was named. */
  readonly name: string | null;
  /** The device to issue again; null: as the grant says. */
  readonly deviceId: string | null;
  readonly known: KnownFamily;
}

/** Under the account's lock, which the caller holds. */
export async function issueDevice(context: ActionContext, issue: Issue) {
  const { grant } = issue;
  await refuseUnusableNow(context, grant);
  const network = await networkRow(context, grant.network_id);
  const before = await deviceOf(context, issue);
  await refuseKeyTaken(context, { publicKey: issue.publicKey, deviceId: before?.id ?? null });
  const shownBefore = before === null ? null : await showUserDevice(context, before);
  const after =
    before === null
      ? await insertDevice(context, { issue, network })
      : await rewriteDevice(context, { issue, network, before });
  await useUp(context, { grant, deviceId: after.id });
  itemChanged(context, userDeviceModel, { before, after });
  context.event('sdwan.user_device.issued', {
    before: shownBefore,
    after: await showUserDevice(context, after),
  });
  return { row: after, network, shown: await showUserDeviceWithConfig(context, after) };
}

async function useUp(
  context: ActionContext,
  { grant, deviceId }: { readonly grant: AccessGrantRow; readonly deviceId: string },
): Promise<void> {
  const used = await context.trx
    .updateTable('access_grants')
    .set({
      used_at: context.now,
      user_device_id: deviceId,
      updated_at: context.now,
      revision: grant.revision + 1,
    })
    .where('id', '=', grant.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  context.event('sdwan.access_grant.used', {
    before: showAccessGrant(grant, context.now, null),
    after: showAccessGrant(used, context.now, null),
  });
}

/** Looks at what its maker may do at this moment. */
export async function refuseUnusableNow(context: ActionContext, grant: AccessGrantRow): Promise<void> {
  const lossOf = await readInPlatform(context.trx, (trx) => accessGrantLosses(trx, [grant], context.now));
  refuseUnusable(grant, context.now, lossOf(grant));
}

/** Whoever holds the secret of a grant is told what became of it; nobody else gets here. */
export function refuseUnusable(grant: AccessGrantRow, now: Date, loss: MakerLoss): void {
  const status = statusOfOnce(grant, now, loss);
  const why = {
    unused: null,
    used: 'was already used; each one adds one device',
    expired: 'has expired',
    revoked: 'was revoked',
  }[status];
  if (why === null) return;
  throw new ProductError('conflict', `This access grant ${why}. Request a new one.`, {
    members: { access_grant_status: status },
  });
}

/** A device that can be issued again in the network. */
export async function deviceToIssueAgain(
  context: ActionContext,
  of: { readonly id: string; readonly networkId: string },
): Promise<UserDeviceRow> {
  const device = await context.trx
    .selectFrom('user_devices')
    .selectAll()
    .where('id', '=', of.id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (device === undefined) throw notFound('user device', of.id);
  const why =
    device.network_id !== of.networkId
      ? 'is in another network'
      : device.revoked_at !== null
        ? 'is revoked'
        : null;
  if (why === null) return device;
  throw new ProductError('conflict', `user_device_id: the device "${device.name}" ${why}. Issue a new one.`, {
    fields: [{ path: 'user_device_id', code: 'not_to_be_issued', message: why }],
  });
}

async function deviceOf(context: ActionContext, { grant, deviceId }: Issue): Promise<UserDeviceRow | null> {
  const wanted = deviceId ?? grant.user_device_id;
  if (wanted === null) return null;
  const device = await deviceToIssueAgain(context, { id: wanted, networkId: grant.network_id });
  if (grant.user_device_id === null || grant.user_device_id === wanted) return device;
  throw new ProductError(
    'conflict',
    `This access grant is for the device ${grant.user_device_id}. Create one without a device, or one for this device.`,
  );
}

/** Two ends of one key would take each other's packets. A key that was shut out stays out. */
async function refuseKeyTaken(
  context: ActionContext,
  of: { readonly publicKey: string; readonly deviceId: string | null },
): Promise<void> {
  const { publicKey, deviceId } = of;
  const node = await context.trx
    .selectFrom('node_keys')
    .select('instance_id')
    .where('public_key', '=', publicKey)
    .executeTakeFirst();
  const peer = await context.trx
    .selectFrom('peers')
    .select('id')
    .where((eb) => eb.or([eb('public_key', '=', publicKey), eb('direct_key', '=', publicKey)]))
    .executeTakeFirst();
  const device = await context.trx
    .selectFrom('user_devices')
    .select('id')
    .where('public_key', '=', publicKey)
    .where('id', 'is distinct from', deviceId)
    .executeTakeFirst();
  if (node !== undefined || peer !== undefined || device !== undefined) throw keyTaken();
}

function keyTaken(): ProductError {
  const message = 'is or was the key of another device or instance';
  return new ProductError(
    'already_exists',
    `public_key: it ${message}. Generate a new key pair (wg genkey).`,
    {
      fields: [{ path: 'public_key', code: 'taken', message }],
    },
  );
}

interface Parts {
  readonly issue: Issue;
  readonly network: NetworkRow;
}

async function insertDevice(context: ActionContext, { issue, network }: Parts): Promise<UserDeviceRow> {
  await refuseTooMany(context, network);
  const id = context.services.newId();
  const { address, ipv4Address } = await takeServiceAddress(context, { network, ownerId: id });
  const addresses = { host_address: address, ipv4_address: ipv4Address };
  const row = await context.trx
    .insertInto('user_devices')
    .values({
      id,
      account_id: context.accountId,
      network_id: network.id,
      name: issue.name ?? issue.grant.device_name_hint,
      tags: JSON.stringify(issue.grant.tags),
      taken_from: '[]',
      ...addresses,
      ...(await givenColumns(context, { issue, network, device: { id, ...addresses } })),
    })
    // Another account's device has it; the key is all that is told of that.
    .onConflict((conflict) => conflict.column('public_key').where('revoked_at', 'is', null).doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw keyTaken();
  return row;
}

async function rewriteDevice(
  context: ActionContext,
  { issue, network, before }: Parts & { readonly before: UserDeviceRow },
): Promise<UserDeviceRow> {
  const given = await givenColumns(context, { issue, network, device: before });
  const goes = given.hub_peer_id !== before.hub_peer_id;
  const update = context.trx
    .updateTable('user_devices')
    .set({
      name: issue.name ?? before.name,
      ...given,
      ...(goes ? { taken_from: JSON.stringify(await takenFromHub(context, before)) } : {}),
      updated_at: context.now,
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll();
  try {
    return await update.executeTakeFirstOrThrow();
  } catch (error) {
    // Another account's device has it, as above.
    throw sqlStateOf(error) === uniqueViolation ? keyTaken() : error;
  }
}

const uniqueViolation = '23505';

/** What is decided anew each time it is issued. */
async function givenColumns(
  context: ActionContext,
  {
    issue,
    network,
    device,
  }: Parts & { readonly device: Pick<UserDeviceRow, 'id' | 'host_address' | 'ipv4_address'> },
): Promise<Pick<UserDeviceRow, 'access_grant_id' | 'public_key' | 'hub_peer_id' | 'config_digest'>> {
  const { family, isChosen } = issue.known;
  const hub = await chooseHub(context.trx, { network, deviceId: device.id, family });
  const facts = configFacts(tunnelsModel(network), hub, {
    addresses: addressesOf(device),
    choice: { family },
  });
  if (facts === null) throw new Error(`the hub ${hub.id} was chosen for a device and cannot carry it`);
  if (isChosen && familyOfEndpoint(facts.hubEndpoint) !== family) throw noHubOf(network, family);
  return {
    access_grant_id: issue.grant.id,
    public_key: issue.publicKey,
    hub_peer_id: hub.id,
    config_digest: configDigest(facts),
  };
}

function noHubOf(network: NetworkRow, family: Family | null): ProductError {
  const message = `no hub of the network has an IPv${family} endpoint`;
  return new ProductError(
    'conflict',
    `endpoint_family: ${message}. Give a hub of "${network.name}" one (powernode peer update --endpoint-addresses), or leave endpoint_family out.`,
    { fields: [{ path: 'endpoint_family', code: 'no_endpoint', message }] },
  );
}

async function refuseTooMany(context: ActionContext, network: NetworkRow): Promise<void> {
  const { count } = await context.trx
    .selectFrom('user_devices')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', network.id)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (count < userDevicesPerNetworkMax) return;
  throw new ProductError(
    'limit_reached',
    `The network has ${count} devices, which is the limit. Revoke one that is not used.`,
  );
}
