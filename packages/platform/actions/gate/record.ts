// Writes what an action did: its change (what networks should be from here on) and its events, in its transaction.
import type { Event } from '@powernode/core/intent/fleet';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import type { ActionContext } from '../context.ts';
import { writeChanges } from '../journal.ts';

export async function recordChanges(context: ActionContext): Promise<void> {
  const { accountId, sequence, changes, now } = context;
  if (sequence !== null) await writeChanges(context.trx, { accountId, sequence, changes, at: now });
}

export function recordEvents(
  context: ActionContext,
  extra: Readonly<Record<string, unknown>>,
): Promise<Event[]> {
  const drafts: EventDraft[] = context.events.map((draft) => ({
    account_id: context.accountId,
    kind: draft.kind,
    severity: draft.severity ?? 'info',
    at: context.now.toISOString(),
    actor: draft.actor,
    correlation_id: context.correlationId,
    payload: { ...draft.payload, ...extra },
  }));
  return writeEvents(context.trx, drafts);
}
