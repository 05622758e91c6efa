// Reads server-sent events (WHATWG HTML §9.2.6) from text as it comes in pieces, within a limit. No network here.
import { eventCharactersMax } from '@powernode/core/limits/clients';
import { createParser } from 'eventsource-parser';

export interface ServerSentEvent {
  /** The last event id of the stream so far; empty: none was sent. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface EventReader {
  /** Parses the next piece and returns the events that it completes. Throws when one exceeds `eventCharactersMax`. */
  push(piece: string): ServerSentEvent[];
  /** To be sent as Last-Event-ID when reconnecting; empty: not sent. */
  readonly lastEventId: string;
}

/** `resumedAfter`: the last event id of the previous connection; it applies until the stream sends another. */
export function createEventReader(resumedAfter = ''): EventReader {
  let lastEventId = resumedAfter;
  let isTooLarge = false;
  let events: ServerSentEvent[] = [];
  const parser = createParser({
    maxBufferSize: eventCharactersMax,
    onId: (id) => {
      lastEventId = id;
    },
    onEvent: ({ event = 'message', data }) => events.push({ id: lastEventId, event, data }),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') isTooLarge = true;
    },
  });
  return {
    push(piece) {
      events = [];
      parser.feed(piece);
      if (isTooLarge)
        throw new Error(`An event of the stream is above the limit of ${eventCharactersMax} characters.`);
      return events;
    },
    get lastEventId() {
      return lastEventId;
    },
  };
}
