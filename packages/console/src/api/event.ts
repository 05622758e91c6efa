// An event as it comes over the stream or in a list: reading it, and what it says about which object.
import type { Event } from '@powernode/core/intent/fleet';
import { isRecord, parseJson } from '@powernode/core/json';

export type { Event };

const severities: readonly Event['severity'][] = ['info', 'warning', 'error'];
const actorKinds: readonly Event['actor']['kind'][] = ['operator', 'instance', 'platform'];

/** Reads the data of one message of the stream. */
export function readEvent(text: string): Event {
  const value = parseJson(text);
  const complaint = isRecord(value) ? complaintOf(value) : 'it is not an object';
  if (complaint === null) return value as Event;
  throw new Error(`The stream sent something that is not an event (${complaint}): ${text.slice(0, 120)}`);
}

function complaintOf(value: Record<string, unknown>): string | null {
  for (const name of ['id', 'kind', 'at', 'correlation_id']) {
    if (typeof value[name] !== 'string') return `${name} is not text`;
  }
  if (!severities.includes(value['severity'] as Event['severity'])) return 'severity is unknown';
  const actor = value['actor'];
  if (!isRecord(actor) || typeof actor['name'] !== 'string') return 'actor has no name';
  if (!actorKinds.includes(actor['kind'] as Event['actor']['kind'])) return 'the kind of actor is unknown';
  return isRecord(value['payload']) ? null : 'payload is not an object';
}

/** The two states of the object that an event is about; null: it is not there (any more), or not told. */
export interface Turn {
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

export function turnOf(event: Event): Turn {
  const { before, after } = event.payload;
  return { before: isRecord(before) ? before : null, after: isRecord(after) ? after : null };
}

/** What to call the object of an event in a list of events. */
export function subjectOf(event: Event): string {
  const { before, after } = turnOf(event);
  const shown = after ?? before ?? event.payload;
  for (const name of ['hostname', 'name', 'summary', 'category', 'name_hint', 'host_address', 'id']) {
    const value = shown[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}
