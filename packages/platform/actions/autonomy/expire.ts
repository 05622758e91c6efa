// An approval that nobody answers in time is rejected (contract §7). Run by the platform itself, now and then.
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inPlatform } from '../../store/tenancy.ts';

const reason = 'Nobody answered in time.';

export async function expireApprovals(parts: {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly now: () => Date;
}): Promise<number> {
  const at = parts.now();
  const events = await inPlatform(parts.store, async (trx) => {
    const rows = await trx
      .updateTable('approvals')
      .set((eb) => ({
        status: 'rejected' as const,
        reason,
        decided_at: at,
        updated_at: at,
        revision: eb('revision', '+', 1),
      }))
      .where('status', '=', 'pending')
      .where('expires_at', '<=', at)
      .returningAll()
      .execute();
    return writeEvents(
      trx,
      rows.map((row) => ({
        account_id: row.account_id,
        kind: 'system.approval.rejected',
        severity: 'warning',
        at: at.toISOString(),
        actor: { kind: 'platform', id: null, name: 'platform' },
        correlation_id: row.correlation_id,
        payload: { approval_id: row.id, action: row.action, summary: row.summary, reason },
      })),
    );
  });
  publishEvents(parts.bus, events);
  return events.length;
}
