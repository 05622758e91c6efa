// On which hubs a revocation is in effect: those whose kernel was read back to be without the device. That is the hub
// that it had last, and each before that one that had not let go of it yet.
import { setTimeout as pause } from 'node:timers/promises';
import type { UserDevice } from '@powernode/core/intent/user-device';
import { revocationPollMs, revocationWaitMs } from '@powernode/core/limits/overlay';
import type { Deliverer } from '../../../deliver/deliverer.ts';
import type { TakenFrom } from '../../../store/network-object-tables.ts';
import type { ActionContext, ReadLater, Trx } from '../../context.ts';
import type { UserDeviceRow } from './model.ts';

type Revoked = Pick<UserDeviceRow, 'revoked_at' | 'taken_from'>;
type Deliveries = Pick<Deliverer, 'nodeDelivery'>;
/** The newest revision that a machine is known to have applied; -1: none. */
type Applied = (instanceId: string) => number;

/** null: it is not revoked. */
export function revokedOn(applied: Applied, row: Revoked): UserDevice['revoked_on'] {
  if (row.revoked_at === null) return null;
  return { done: row.taken_from.filter(isDone(applied)).length, of: row.taken_from.length };
}

/** The same as soon as all have done it, or as it is when they take longer than a caller should wait. */
export async function revokedOnSoon(
  deliverer: Deliveries,
  row: Revoked,
  read: ReadLater,
): Promise<UserDevice['revoked_on']> {
  for (let waitedMs = 0; waitedMs < revocationWaitMs; waitedMs += revocationPollMs) {
    if (row.taken_from.every(isDone(inMemory(deliverer)))) break;
    await pause(revocationPollMs);
  }
  return revokedOn(await read((trx) => appliedOf({ trx, deliverer }, [row])), row);
}

/** As this process has heard it, or as another one has written it, which has the machine's stream. */
export async function appliedOf(
  from: { readonly trx: Trx; readonly deliverer: Deliveries },
  rows: readonly Pick<UserDeviceRow, 'taken_from'>[],
): Promise<Applied> {
  const heard = inMemory(from.deliverer);
  const ids = [...new Set(rows.flatMap((row) => row.taken_from.map((one) => one.instance_id)))];
  if (ids.length === 0) return heard;
  const written = await from.trx
    .selectFrom('instances')
    .select(['id', 'applied_revision'])
    .where('id', 'in', ids)
    .execute();
  const writtenOf = new Map(written.map((row) => [row.id, row.applied_revision]));
  return (id) => Math.max(heard(id), writtenOf.get(id) ?? -1);
}

/** What becomes of `taken_from` when the change under way takes the device from its hub. */
export async function takenFromHub(context: ActionContext, device: UserDeviceRow): Promise<TakenFrom[]> {
  const { trx, services } = context;
  const applied = await appliedOf({ trx, deliverer: services.deliverer }, [device]);
  const done = isDone(applied);
  const hub = await trx
    .selectFrom('peers')
    .select(['instance_id', 'hub_slot'])
    .where('id', '=', device.hub_peer_id)
    .executeTakeFirst();
  const former = device.taken_from.filter((one) => !done(one) && one.instance_id !== hub?.instance_id);
  if (hub === undefined) return former;
  const { instance_id } = hub;
  if (hub.hub_slot !== null) return [...former, { instance_id, sequence: await context.lock() }];
  // A hub that was made a spoke has been told so by then, and this change says nothing to it.
  const delivered = { instance_id, sequence: services.deliverer.nodeDelivery(instance_id).desiredRevision };
  return done(delivered) ? former : [...former, delivered];
}

function inMemory(deliverer: Deliveries): Applied {
  return (id) => deliverer.nodeDelivery(id).appliedRevision ?? -1;
}

function isDone(applied: Applied): (taken: TakenFrom) => boolean {
  return ({ instance_id: id, sequence }) => applied(id) >= sequence;
}
