// Writes events in the transaction of what they tell of. The ids of an account's events are in the order of their
// commits: whoever has read up to one id has missed none before it, and goes on from there.
import type { Event } from '@powernode/core/intent/fleet';
import { eventRowsPerInsertMax } from '@powernode/core/limits/requests';
import { sql, type Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../store/tables.ts';

/** An event that is not written yet, and so has no place among the others. */
export type EventDraft = Omit<Event, 'id'>;

/** The platform itself, as the actor of events. */
export const platformActor = {
  kind: 'platform',
  id: null,
  name: 'platform',
} as const satisfies Event['actor'];

/** Any number, the same for ever: "pwev" in ASCII. Beside it stands the account. */
const lockClass = 0x70776576;

/**
 * To be called last in a transaction: it holds the account's events until the commit, and whoever then waited for
 * another lock could wait for ever.
 */
export async function writeEvents(
  trx: Transaction<Database>,
  drafts: readonly EventDraft[],
): Promise<Event[]> {
  const written: Event[] = [];
  const accounts = [...new Set(drafts.map((draft) => draft.account_id))].toSorted();
  for (const accountId of accounts) {
    let last = await holdEvents(trx, accountId);
    for (const draft of drafts) {
      if (draft.account_id !== accountId) continue;
      last = idAfter(last);
      written.push({ id: last, ...draft });
    }
  }
  for (let from = 0; from < written.length; from += eventRowsPerInsertMax) {
    const rows = written.slice(from, from + eventRowsPerInsertMax);
    await trx
      .insertInto('events')
      .values(
        rows.map((event) => ({
          ...event,
          at: new Date(event.at),
          actor: JSON.stringify(event.actor),
          payload: JSON.stringify(event.payload),
        })),
      )
      .execute();
  }
  return written;
}

/** The last event of the account. Nobody else writes one before this transaction has ended. */
async function holdEvents(trx: Transaction<Database>, accountId: string): Promise<string> {
  await sql`select pg_advisory_xact_lock(${lockClass}::int, hashtext(${accountId}))`.execute(trx);
  return lastEventId(trx, accountId);
}

/** Before every id when there is none. */
export async function lastEventId(trx: Transaction<Database>, accountId: string): Promise<string> {
  const row = await trx
    .selectFrom('events')
    .select('id')
    .where('account_id', '=', accountId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? '00000000-0000-0000-0000-000000000000';
}

/** The least UUIDv7 of a moment (RFC 9562 §5.7): ids of events begin with their time. */
export function firstIdAt(moment: Date): string {
  const hex = moment.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** The moment that a UUIDv7 begins with. */
export function timeOfId(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** A UUIDv7 (RFC 9562 §5.7) of now, or of the millisecond after `last` where that was made by a clock ahead of ours. */
export function idAfter(last: string, fresh: string = uuidv7()): string {
  if (fresh > last) return fresh;
  return uuidv7({ msecs: timeOfId(last).getTime() + 1 });
}
