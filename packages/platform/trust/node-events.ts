// Events that machines cause: made, written with the rows they tell of, and told to readers after the commit.

import type { Event } from '@powernode/core/intent/fleet';
import { reportRowsMax } from '@powernode/core/limits';
import type { Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { EventBus } from '../events/event-bus.ts';
import type { Database } from '../store/tables.ts';
import type { Clock } from './clock.ts';

export interface NodeEvent {
  readonly accountId: string;
  readonly kind: string;
  readonly severity: Event['severity'];
  /** The machine that caused it; null when the platform itself saw it. */
  readonly instance: { readonly id: string; readonly hostname: string } | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function makeEvent(clock: Pick<Clock, 'now'>, of: NodeEvent): Event {
  return {
    id: uuidv7(),
    account_id: of.accountId,
    kind: of.kind,
    severity: of.severity,
    at: new Date(clock.now()).toISOString(),
    actor:
      of.instance === null
        ? { kind: 'platform', id: null, name: 'platform' }
        : { kind: 'instance', id: of.instance.id, name: of.instance.hostname },
    correlation_id: uuidv7(),
    payload: { ...of.payload },
  };
}

export async function insertEvents(trx: Transaction<Database>, events: readonly Event[]): Promise<void> {
  for (let from = 0; from < events.length; from += reportRowsMax) {
    await trx
      .insertInto('events')
      .values(
        events.slice(from, from + reportRowsMax).map((event) => ({
          ...event,
          at: new Date(event.at),
          actor: JSON.stringify(event.actor),
          payload: JSON.stringify(event.payload),
        })),
      )
      .execute();
  }
}

/** To be called after the commit. */
export function publishEvents(bus: EventBus, events: readonly Event[]): void {
  for (const event of events) bus.publish({ kind: 'event', accountId: event.account_id, event });
}
