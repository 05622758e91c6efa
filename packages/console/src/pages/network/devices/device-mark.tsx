// The status of a device. A revocation says on how many hubs it is in effect.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { deviceLooks } from '../../../parts/service-statuses.tsx';
import { Status } from '../../../parts/status.tsx';

/** Some hub has not yet said that it shut the device out. */
export function isBeingRevoked({ revoked_on: on }: Pick<UserDevice, 'revoked_on'>): boolean {
  return on !== null && on.done < on.of;
}

export interface DeviceMarkProps {
  readonly device: Pick<UserDevice, 'status' | 'stale_reason' | 'revoked_on'>;
  readonly chip?: boolean;
}

export function DeviceMark({ device, chip = false }: DeviceMarkProps) {
  const { status, stale_reason, revoked_on } = device;
  if (revoked_on !== null && isBeingRevoked(device)) {
    const text = `revoked on ${revoked_on.done} of ${revoked_on.of}`;
    return (
      <Status tone="wait" shape="half" text={text} hint="Hubs that have removed its key" moving chip={chip} />
    );
  }
  const hint = status === 'stale' && stale_reason !== null ? stale_reason : deviceLooks[status].hint;
  return <Status {...deviceLooks[status]} hint={hint} chip={chip} />;
}
