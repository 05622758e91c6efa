// Follows a stream of events of the platform: connects, reads, and connects again from where it was. EventSource cannot
// send an Authorization header, and a token does not belong into a URL, so this reads the stream with fetch.
import { eventStreamIdleMs, eventStreamProbeMs } from '@powernode/core/limits/clients';
import { reconnectFirstMs, reconnectMaxMs } from '@powernode/core/limits/node-stream';
import { CallError } from './call-error.ts';
import { createEventReader } from './event-reader.ts';
import type { PlatformClient } from './platform-client.ts';

export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** The connection failed or ended; `retryAt` in milliseconds of the clock given. */
  | { readonly kind: 'lost'; readonly retryAt: number; readonly reason: unknown }
  /** The platform does not permit this token to read the stream; no further attempt is made. */
  | { readonly kind: 'refused'; readonly error: CallError };

export interface StreamTimers {
  readonly now: () => number;
  /** Between 0 and 1; spreads the readers that lost the same platform. */
  readonly random: () => number;
  /** Returns what cancels it. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
}

/** The timers of the machine that this runs on. */
export const systemTimers: StreamTimers = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface EventStreamParts<T> {
  readonly client: PlatformClient;
  /** With its query, such as `/api/v1/events/stream?kind_prefix=sdwan.`. */
  readonly path: string;
  readonly timers: StreamTimers;
  /** Reads the data of one event; throws when it is none. */
  readonly read: (data: string) => T;
  readonly onEvent: (event: T) => void;
  /** Data that `read` refused: it is skipped. */
  readonly onUnreadable: (error: unknown) => void;
  readonly onState: (state: StreamState) => void;
  /** Bytes arrived on the stream, or the platform responded to a check of an idle stream. */
  readonly onAlive: () => void;
}

export interface EventStream {
  /** Connects at once instead of at `retryAt`; an open stream is replaced. */
  retryNow(): void;
  close(): void;
}

export function openEventStream<T>(parts: EventStreamParts<T>): EventStream {
  const follower = new Follower(parts);
  follower.retryNow();
  return follower;
}

class Follower<T> implements EventStream {
  readonly #parts: EventStreamParts<T>;
  #lastEventId = '';
  /** Connections that failed or ended since one was last open. */
  #failures = 0;
  /** The current connection attempt; the result of an older one is ignored. null: closed. */
  #attempt: AbortController | null = new AbortController();
  #cancelTimer = () => {};

  constructor(parts: EventStreamParts<T>) {
    this.#parts = parts;
  }

  retryNow(): void {
    if (this.#attempt === null) return;
    this.#abandon();
    this.#failures = 0;
    void this.#run();
  }

  close(): void {
    this.#abandon();
    this.#attempt = null;
  }

  #abandon(): void {
    this.#cancelTimer();
    this.#attempt?.abort();
  }

  async #run(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { onState } = this.#parts;
    onState({ kind: 'connecting' });
    let reason: unknown = new Error('the platform ended the stream');
    try {
      const body = await this.#connect(attempt);
      attempt.signal.throwIfAborted();
      this.#failures = 0;
      onState({ kind: 'open' });
      await this.#readAll(body, attempt);
    } catch (error) {
      reason = error;
    }
    if (attempt !== this.#attempt) return;
    if (isRefusal(reason)) onState({ kind: 'refused', error: reason });
    else this.#wait(reason);
  }

  async #connect(attempt: AbortController): Promise<ReadableStream<Uint8Array>> {
    const { client, path, timers } = this.#parts;
    const headers: Record<string, string> =
      this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId };
    const cancelDeadline = timers.setTimer(
      () => attempt.abort(new Error(`no response within ${eventStreamProbeMs} ms`)),
      eventStreamProbeMs,
    );
    return client.openStream(path, { headers, signal: attempt.signal }).finally(cancelDeadline);
  }

  /** Returns when the stream ends; throws the reason when it was cut, given up or abandoned. */
  async #readAll(body: ReadableStream<Uint8Array>, attempt: AbortController): Promise<void> {
    const { signal } = attempt;
    const source = body.getReader();
    const decoder = new TextDecoder();
    const reader = createEventReader(this.#lastEventId);
    const idle = new IdleWatch(this.#parts, () => attempt.abort(new Error('the platform does not respond')));
    signal.addEventListener('abort', () => {
      idle.stop();
      source.cancel().catch(() => {});
    });
    try {
      for (let piece = await source.read(); !piece.done; piece = await source.read()) {
        signal.throwIfAborted();
        idle.restart();
        this.#parts.onAlive();
        for (const { id, data } of reader.push(decoder.decode(piece.value, { stream: true }))) {
          signal.throwIfAborted();
          this.#lastEventId = id;
          this.#take(data);
        }
        this.#lastEventId = reader.lastEventId;
      }
      signal.throwIfAborted();
    } finally {
      idle.stop();
      // One that is given up for an oversized event would stay open.
      source.cancel().catch(() => {});
    }
  }

  #take(data: string): void {
    const { read, onEvent, onUnreadable } = this.#parts;
    try {
      onEvent(read(data));
    } catch (error) {
      onUnreadable(error);
    }
  }

  #wait(reason: unknown): void {
    const { timers, onState } = this.#parts;
    const ceilingMs = Math.min(reconnectMaxMs, reconnectFirstMs * 2 ** this.#failures);
    const delayMs = ceilingMs * (0.5 + timers.random() / 2);
    this.#failures += 1;
    onState({ kind: 'lost', retryAt: timers.now() + delayMs, reason });
    this.#cancelTimer = timers.setTimer(() => void this.#run(), delayMs);
  }
}

/** A refusal is final; a failure of the server (5xx) passes by itself. */
function isRefusal(error: unknown): error is CallError {
  return error instanceof CallError && !error.unreachable && error.problem.status < 500;
}

/**
 * A server that vanishes without closing the connection leaves the stream open and silent. After `eventStreamIdleMs`
 * without a byte the platform is asked for /healthz; the stream is abandoned when that fails too.
 */
class IdleWatch {
  readonly #parts: Pick<EventStreamParts<unknown>, 'client' | 'timers' | 'onAlive'>;
  readonly #giveUp: () => void;
  #cancel = () => {};
  #stopped = false;

  constructor(parts: Pick<EventStreamParts<unknown>, 'client' | 'timers' | 'onAlive'>, giveUp: () => void) {
    this.#parts = parts;
    this.#giveUp = giveUp;
    this.restart();
  }

  restart(): void {
    this.#cancel();
    if (this.#stopped) return;
    this.#cancel = this.#parts.timers.setTimer(() => void this.#probe(), eventStreamIdleMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #probe(): Promise<void> {
    const { client, timers, onAlive } = this.#parts;
    const abort = new AbortController();
    const cancelDeadline = timers.setTimer(() => abort.abort(), eventStreamProbeMs);
    try {
      await client.checkHealth(abort.signal);
      if (this.#stopped) return;
      onAlive();
      this.restart();
    } catch {
      if (!this.#stopped) this.#giveUp();
    } finally {
      cancelDeadline();
    }
  }
}
