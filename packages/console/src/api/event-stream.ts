// Follows the platform's stream of events: connects, reads, and connects again from where it was. EventSource cannot
// send an Authorization header, and a token does not belong into a URL, so this reads the stream with fetch.
import * as limits from '@powernode/core/limits';
import { type Event, readEvent } from './event.ts';
import { CallError, problemOfAnswer } from './problem.ts';
import { createSseReader } from './sse.ts';

export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** Nobody answers; `retryAt` in milliseconds of the clock given. */
  | { readonly kind: 'lost'; readonly retryAt: number }
  /** The platform answers but does not let this token listen, so asking again does not help. */
  | { readonly kind: 'refused'; readonly error: CallError };

export interface StreamParts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly token: () => string | null;
  readonly now: () => number;
  /** Between 0 and 1; spreads the consoles that lost the same platform. */
  readonly random: () => number;
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
  readonly onEvent: (event: Event) => void;
  readonly onState: (state: StreamState) => void;
  /** Any sign of life on the stream, also one without an event. */
  readonly onAlive: () => void;
  /** A message that is not an event: it is skipped. */
  readonly onGarbage: (error: unknown) => void;
}

export interface EventStream {
  /** Does not wait any longer for the next try; on an open stream, checks that it is alive. */
  retryNow(): void;
  close(): void;
}

export function openEventStream(parts: StreamParts): EventStream {
  let lastId: string | null = null;
  let failures = 0;
  // The try that counts; an older one that ends late has nothing to say.
  let current = new AbortController();
  let closed = false;
  let cancelTimer = () => {};

  async function run(): Promise<void> {
    const mine = new AbortController();
    current = mine;
    parts.onState({ kind: 'connecting' });
    try {
      const body = await connect(parts, { lastId, abort: mine });
      failures = 0;
      parts.onState({ kind: 'open' });
      await readAll(body, mine);
    } catch (error) {
      if (mine === current && !closed && isRefusal(error)) {
        parts.onState({ kind: 'refused', error });
        return;
      }
    }
    if (mine === current && !closed) wait();
  }

  async function readAll(body: ReadableStream<Uint8Array>, mine: AbortController): Promise<void> {
    const lines = createSseReader();
    const decoder = new TextDecoder();
    const source = body.getReader();
    const quiet = watchQuiet(parts, () => mine.abort());
    mine.signal.addEventListener('abort', () => {
      quiet.stop();
      source.cancel().catch(() => {});
    });
    try {
      for (let piece = await source.read(); !piece.done; piece = await source.read()) {
        if (mine !== current) return;
        quiet.heard();
        parts.onAlive();
        for (const message of lines.push(decoder.decode(piece.value, { stream: true }))) {
          if (message.id !== '') lastId = message.id;
          take(message.data);
        }
      }
    } finally {
      quiet.stop();
    }
  }

  function take(data: string): void {
    try {
      parts.onEvent(readEvent(data));
    } catch (error) {
      parts.onGarbage(error);
    }
  }

  function wait(): void {
    const ceiling = Math.min(limits.reconnectMaxMs, limits.reconnectFirstMs * 2 ** failures);
    const delay = ceiling * (0.5 + parts.random() / 2);
    failures += 1;
    parts.onState({ kind: 'lost', retryAt: parts.now() + delay });
    cancelTimer = parts.setTimer(() => void run(), delay);
  }

  function end(): void {
    cancelTimer();
    current.abort();
  }

  void run();
  return {
    retryNow() {
      if (closed) return;
      end();
      failures = 0;
      void run();
    },
    close() {
      closed = true;
      end();
    },
  };
}

/** The platform answers, and means it: only a server's own trouble passes by itself. */
function isRefusal(error: unknown): error is CallError {
  return error instanceof CallError && !error.unreachable && error.problem.status < 500;
}

async function connect(
  parts: StreamParts,
  from: { readonly lastId: string | null; readonly abort: AbortController },
): Promise<ReadableStream<Uint8Array>> {
  const headers: Record<string, string> = {
    accept: 'text/event-stream',
    authorization: `Bearer ${parts.token() ?? ''}`,
  };
  if (from.lastId !== null) headers['last-event-id'] = from.lastId;
  const cancelDeadline = parts.setTimer(() => from.abort.abort(), limits.consoleProbeMs);
  const response = await parts
    .fetch('/api/v1/events/stream', { headers, cache: 'no-store', signal: from.abort.signal })
    .finally(cancelDeadline);
  if (!response.ok) throw new CallError(problemOfAnswer(response.status, await response.text()));
  if (response.body === null) throw new Error('the stream has no body');
  return response.body;
}

/** A peer that vanished without a word leaves a stream that is silent for ever. After a while of silence the platform
 * is asked something small; when it does not answer, the stream is given up. */
function watchQuiet(parts: StreamParts, giveUp: () => void): { heard(): void; stop(): void } {
  let cancel = () => {};
  let stopped = false;

  function arm(): void {
    cancel();
    cancel = parts.setTimer(() => void probe(), limits.consoleStreamQuietMs);
  }

  async function probe(): Promise<void> {
    const abort = new AbortController();
    const cancelDeadline = parts.setTimer(() => abort.abort(), limits.consoleProbeMs);
    try {
      await parts.fetch('/healthz', { cache: 'no-store', signal: abort.signal });
      if (stopped) return;
      parts.onAlive();
      arm();
    } catch {
      if (!stopped) giveUp();
    } finally {
      cancelDeadline();
    }
  }

  arm();
  return {
    heard: arm,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
