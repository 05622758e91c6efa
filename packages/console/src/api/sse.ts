// Reads a server-sent event stream from text as it comes in pieces (WHATWG HTML §9.2.6). No network here.
import { consoleEventBytesMax } from '@powernode/core/limits';

export interface SseMessage {
  /** The last id seen so far, which a reconnecting reader sends back. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface SseReader {
  /** Takes the next piece and returns the messages that it completes. */
  push(piece: string): SseMessage[];
  /** The delay before reconnecting that the server asked for. */
  readonly retryMs: number | null;
}

const lineEnd = /\r\n|\n|\r/;

export function createSseReader(): SseReader {
  let rest = '';
  let atStart = true;
  let id = '';
  let event = '';
  let data: string[] = [];
  let size = 0;
  let retryMs: number | null = null;

  function takeField(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'data') {
      data.push(value);
      size += value.length;
      if (size > consoleEventBytesMax) throw tooLarge(size);
    } else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value);
  }

  function finish(): SseMessage[] {
    const message = { id, event: event === '' ? 'message' : event, data: data.join('\n') };
    const empty = data.length === 0;
    event = '';
    data = [];
    size = 0;
    return empty ? [] : [message];
  }

  return {
    push(piece) {
      rest += atStart && piece.startsWith('\uFEFF') ? piece.slice(1) : piece;
      if (piece !== '') atStart = false;
      if (rest.length > 2 * consoleEventBytesMax) throw tooLarge(rest.length);
      // A carriage return at the very end may be the first half of a line end.
      const held = rest.endsWith('\r') ? 1 : 0;
      const lines = rest.slice(0, rest.length - held).split(lineEnd);
      rest = (lines.pop() ?? '') + rest.slice(rest.length - held);
      return lines.flatMap((line) => {
        if (line === '') return finish();
        takeField(line);
        return [];
      });
    },
    get retryMs() {
      return retryMs;
    },
  };
}

function tooLarge(size: number): Error {
  return new Error(
    `An event of the stream has ${size} characters, above the limit of ${consoleEventBytesMax}.`,
  );
}
