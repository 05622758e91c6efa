// Access grants as the outside sees them: without their secret.
import type { AccessGrant } from '@powernode/core/intent/user-device';
import type { Selectable } from 'kysely';
import type { MakerLoss } from '../../../access/maker-rights.ts';
import type { Database } from '../../../store/tables.ts';
import { statusOfOnce, stored, timeOrNull } from '../../accounts/present.ts';

export type AccessGrantRow = Selectable<Database['access_grants']>;

export function showAccessGrant(row: AccessGrantRow, now: Date, loss: MakerLoss): AccessGrant {
  return {
    ...stored(row),
    network_id: row.network_id,
    device_name_hint: row.device_name_hint,
    tags: row.tags,
    status: statusOfOnce(row, now, loss),
    expires_at: row.expires_at.toISOString(),
    used_at: timeOrNull(row.used_at),
    user_device_id: row.user_device_id,
  };
}
