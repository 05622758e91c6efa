// The finding that the holder of a virtual IP does not answer, or that its health check fails, while the address does not
// move: it holds as long as the state is `error`.
import { type EndedFinding, keepEnded } from '../../../store/ended-findings.ts';
import type { ActionContext } from '../../context.ts';
import type { VirtualIpRow } from './model.ts';

/** null: the row is in no such state. */
export function silentHolderOf(row: VirtualIpRow): Omit<EndedFinding, 'recoveredAt'> | null {
  if (row.state !== 'error') return null;
  return {
    accountId: row.account_id,
    networkId: row.network_id,
    kind: 'sdwan.vip_holder_silent',
    severity: 'error',
    object: { type: 'virtual_ip', id: row.id, name: row.name },
    detail: row.state_detail ?? 'Its holder does not answer.',
    beganAt: row.error_since ?? row.updated_at,
  };
}

/** Writes what stays of the finding, where it holds. `why` is a sentence: what ended it, other than a holder that answers. */
export async function endSilentHolder(
  { trx, now }: Pick<ActionContext, 'trx' | 'now'>,
  row: VirtualIpRow,
  why: string | null = null,
): Promise<void> {
  const finding = silentHolderOf(row);
  if (finding === null) return;
  const detail = why === null ? finding.detail : `${finding.detail} ${why}`;
  await keepEnded(trx, [{ ...finding, detail, recoveredAt: now }]);
}

/** `error_since` as it is with another state. */
export function errorSince(
  before: Pick<VirtualIpRow, 'state' | 'error_since'>,
  state: VirtualIpRow['state'],
  now: Date,
): Date | null {
  if (state !== 'error') return null;
  return before.state === 'error' ? before.error_since : now;
}
