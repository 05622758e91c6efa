// Writes what an action did: its change (what networks should be from here on) and its events, in its transaction.
import type { Event } from '@powernode/core/intent/fleet';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import type { ActionContext } from '../context.ts';
import { changesAfter, writeChanges } from '../journal.ts';

/** A number that was taken and not used is given back, so that whoever follows the numbers reads nothing for nothing. */
export async function recordChanges(context: ActionContext): Promise<void> {
  const { accountId, sequence, changes, origin, correlationId, now } = context;
  if (sequence === null) return;
  if (changes.length === 0 || origin === null) return context.giveBackNumber();
  const reached = await reachedBy(context, sequence);
  await writeChanges(context.trx, {
    accountId,
    sequence,
    changes,
    at: now,
    origin,
    correlationId,
    reached,
  });
}

/** Looked at from the account as it was before: changes that this process has not taken yet are taken first. */
async function reachedBy(context: ActionContext, sequence: number): Promise<ReadonlySet<string>> {
  const { trx, accountId, changes, services } = context;
  const taken = services.deliverer.sequenceOf(accountId);
  const missing = taken < sequence - 1 ? await changesAfter(trx, accountId, taken) : [];
  return services.deliverer.reached(changes, missing);
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
