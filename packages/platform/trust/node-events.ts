// Events that machines cause, or that the platform sees of them; written by events/write-events.ts.
import type { Event } from '@powernode/core/intent/fleet';
import { v7 as uuidv7 } from 'uuid';
import { type EventDraft, platformActor } from '../events/write-events.ts';
import type { Clock } from './clock.ts';

export interface NodeEvent {
  readonly accountId: string;
  readonly kind: string;
  readonly severity: Event['severity'];
  /** The machine that caused it; null when the platform itself saw it. */
  readonly instance: { readonly id: string; readonly hostname: string } | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function makeEvent(clock: Pick<Clock, 'now'>, of: NodeEvent): EventDraft {
  return {
    account_id: of.accountId,
    kind: of.kind,
    severity: of.severity,
    at: new Date(clock.now()).toISOString(),
    actor:
      of.instance === null
        ? platformActor
        : { kind: 'instance', id: of.instance.id, name: of.instance.hostname },
    correlation_id: uuidv7(),
    payload: { ...of.payload },
  };
}
