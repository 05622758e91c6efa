// An approval that nobody answers in time is rejected (contract §7); one whose object has moved on is closed, where that
// was not seen at once; what an approved one made for its requester, who never fetched it, is revoked. Run by the platform
// itself, now and then.
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { platformActor, writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { expireRequests } from '../gate/approvals.ts';
import { closeOutdated, outdatedEvent } from '../gate/outdated.ts';
import { nouns } from '../nouns.ts';
import { lapseSecrets } from './once-secrets.ts';

const reason = 'Nobody answered in time.';

export async function expireApprovals(parts: {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly now: () => Date;
}): Promise<number> {
  const at = parts.now();
  const events = await inPlatform(parts.store, async (trx) => {
    const rows = await expireRequests(trx, at, reason);
    const outdated = await closeOutdated(trx, { now: at, nouns });
    const lapsed = await lapseSecrets(trx, at);
    const ended = [
      ...rows.map((row) => ({
        kind: 'system.approval.rejected',
        account_id: row.account_id,
        correlation_id: row.correlation_id,
        payload: { approval_id: row.id, action: row.action, summary: row.summary, reason },
      })),
      ...outdated.map((closed) => ({
        kind: outdatedEvent,
        account_id: closed.accountId,
        correlation_id: closed.correlationId,
        payload: closed.payload,
      })),
    ];
    const stamps = { severity: 'warning' as const, at: at.toISOString(), actor: platformActor };
    return [
      ...lapsed,
      ...(await writeEvents(
        trx,
        ended.map((one) => ({ ...one, ...stamps })),
      )),
    ];
  });
  publishEvents(parts.bus, events);
  return events.length;
}
