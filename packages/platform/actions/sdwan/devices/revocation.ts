// On which hubs a revocation is in effect: those whose kernel was read back to be without the device.
import { setTimeout as pause } from 'node:timers/promises';
import type { UserDevice } from '@powernode/core/intent/user-device';
import { revocationPollMs, revocationWaitMs } from '@powernode/core/limits';
import type { Deliverer } from '../../../deliver/deliverer.ts';
import type { UserDeviceRow } from '../../../deliver/item-models.ts';

type Deliveries = Pick<Deliverer, 'nodeDelivery'>;
type Revoked = Pick<UserDeviceRow, 'revoked_sequence' | 'revoked_hub_instance_ids'>;

/** null: it is not revoked. */
export function revokedOn(deliverer: Deliveries, row: Revoked): UserDevice['revoked_on'] {
  const { revoked_sequence: sequence, revoked_hub_instance_ids: machines } = row;
  if (sequence === null) return null;
  const done = machines.filter((id) => (deliverer.nodeDelivery(id).appliedRevision ?? -1) >= sequence);
  return { done: done.length, of: machines.length };
}

/** The same as soon as all have done it, or as it is when they take longer than a caller should wait. */
export async function revokedOnSoon(deliverer: Deliveries, row: Revoked): Promise<UserDevice['revoked_on']> {
  for (let waitedMs = 0; waitedMs < revocationWaitMs; waitedMs += revocationPollMs) {
    const now = revokedOn(deliverer, row);
    if (now === null || now.done === now.of) return now;
    await pause(revocationPollMs);
  }
  return revokedOn(deliverer, row);
}
