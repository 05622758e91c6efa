// Reads server-sent events (WHATWG HTML §9.2) and comes back after a lost connection with the last id it saw.

import { setTimeout as sleep } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { reconnectFirstMs, reconnectMaxMs } from '@powernode/core/limits';
import type { Platform } from './platform.ts';

export interface StreamEvent {
  readonly id: string;
  readonly data: string;
}

export interface FollowParts {
  readonly platform: Platform;
  readonly path: string;
  /** Told once for each lost connection. */
  readonly onLost: (reason: string) => void;
  readonly pause?: (ms: number) => Promise<void>;
}

/** Never ends by itself: it ends when the platform refuses, or when its reader stops. */
export async function* followEvents(parts: FollowParts): AsyncGenerator<StreamEvent> {
  const pause = parts.pause ?? sleep;
  let lastId: string | null = null;
  let delayMs = reconnectFirstMs;
  for (let connected = false; ; ) {
    try {
      const headers: Record<string, string> = lastId === null ? {} : { 'last-event-id': lastId };
      const stream = await parts.platform.openStream(parts.path, headers);
      connected = true;
      delayMs = reconnectFirstMs;
      for await (const event of eventsIn(stream)) {
        lastId = event.id;
        yield event;
      }
      parts.onLost('the platform ended the stream');
    } catch (error) {
      if (!connected || !isPassing(error)) throw error;
      parts.onLost(error instanceof Error ? error.message : String(error));
    }
    await pause(delayMs);
    delayMs = Math.min(delayMs * 2, reconnectMaxMs);
  }
}

/** A platform that restarts answers nothing, or not yet; a refusal is final. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ProductError) || error.meaning.httpStatus >= 500;
}

export async function* eventsIn(stream: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== null) yield event;
    }
  }
}

/** Comments (the platform's pings) and events without data are none. */
function eventOf(block: string): StreamEvent | null {
  let id = '';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^(\w+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'id') id = value ?? '';
    if (field === 'data') data.push(value ?? '');
  }
  return data.length === 0 ? null : { id, data: data.join('\n') };
}
