// Streams that break by themselves: they are watched no more, and one that cannot be ended keeps no other one open.
import { rightsLookMs } from '@powernode/core/limits/requests';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Caller } from '../actions/invoke-types.ts';
import { createStreamRights, endWithRight, type StreamRights } from './stream-rights.ts';

/** Of a token that has expired. */
const caller = {
  tokenId: 't',
  token: { expiresAt: new Date(0) },
  permissions: new Set(),
} as unknown as Caller;

let warnings: string[];
let rights: StreamRights;

beforeEach(() => {
  vi.useFakeTimers();
  warnings = [];
  rights = createStreamRights({
    store: {
      get db(): never {
        throw new Error('a right that time takes away needs no database');
      },
    },
    bus: { subscribe: () => () => undefined },
    now: () => new Date(1),
    log: Object.assign(pino({ level: 'silent' }), {
      warn: (_: unknown, text: string) => void warnings.push(text),
    }),
  });
});
afterEach(() => {
  rights.close();
  vi.useRealTimers();
});

/** A stream of events whose source is at hand, guarded as every answer of the platform is. */
function stream() {
  let source!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
    },
  });
  let watched = 0;
  const response = endWithRight(
    new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    (end) => {
      watched++;
      const release = rights.watch(caller, end);
      return () => {
        watched--;
        release();
      };
    },
  );
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  return { source, reader, watched: () => watched };
}

test('a stream whose source breaks is watched no more, and its reader is told [9.4]', async () => {
  const { source, reader, watched } = stream();
  expect(watched()).toBe(1);
  source.error(new Error('the source broke'));
  await expect(reader.read()).rejects.toThrow('the source broke');
  expect(watched()).toBe(0);
});

test('a stream that cannot be ended keeps none of the others open [9.4]', async () => {
  rights.watch(caller, () => {
    throw new TypeError('the controller is closed');
  });
  const { reader } = stream();
  await vi.advanceTimersByTimeAsync(rightsLookMs);
  expect(await reader.read()).toEqual({ done: true, value: undefined });
  expect(warnings[0]).toBe('a stream whose right is lost could not be ended');
});

test('a stream that ends by its right ends once, though its source breaks by that [9.4]', async () => {
  const { source, reader } = stream();
  const reading = reader.read();
  await vi.advanceTimersByTimeAsync(rightsLookMs);
  expect(() => source.error(new Error('cancelled'))).not.toThrow();
  expect(await reading).toEqual({ done: true, value: undefined });
  expect(warnings).not.toContain('a stream whose right is lost could not be ended');
});
