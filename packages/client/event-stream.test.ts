// How the stream of events is followed: from where it was, without storming, and never fooled by silence.
import * as clientsLimits from '@powernode/core/limits/clients';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import { describe, expect, it, vi } from 'vitest';
import { type EventStream, openEventStream, type StreamState } from './event-stream.ts';
import { PlatformClient } from './platform-client.ts';

interface Line {
  readonly url: string;
  readonly headers: Record<string, string>;
  answer(response: Response): void;
  fail(): void;
}

/** A network whose every request waits for the test, and a clock that moves when the test says. */
function stage() {
  const requests: Line[] = [];
  const states: StreamState[] = [];
  const events: number[] = [];
  const garbage: unknown[] = [];
  const timers = new Set<{ run: () => void; at: number }>();
  let now = 0;
  const client = new PlatformClient({
    url: '',
    token: () => 'secret',
    timeoutMs: null,
    fetch: (url, init) =>
      new Promise((resolve, reject) => {
        const headers = { ...(init.headers as Record<string, string>) };
        const fail = () => reject(new TypeError('Failed to fetch'));
        init.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        requests.push({ url, headers, answer: resolve, fail });
      }),
  });
  const stream: EventStream = openEventStream({
    client,
    path: '/api/v1/events/stream',
    timers: {
      now: () => now,
      random: () => 1,
      setTimer(run, delayMs) {
        const timer = { run, at: now + delayMs };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    read: readNumber,
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
    onAlive: () => {},
    onUnreadable: (error) => garbage.push(error),
  });
  function advance(ms: number): void {
    now += ms;
    for (const timer of [...timers]) {
      if (timer.at > now || !timers.delete(timer)) continue;
      timer.run();
    }
  }
  const last = () => states.at(-1)?.kind;
  return { requests, states, events, garbage, stream, advance, last };
}

function openBody() {
  let write: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      write = controller;
    },
  });
  const say = (text: string) => write?.enqueue(new TextEncoder().encode(text));
  return { response: new Response(body), say, cut: () => write?.error(new TypeError('reset')) };
}

function readNumber(data: string): number {
  if (!/^\d+$/.test(data)) throw new Error(`${data} is no number`);
  return Number(data);
}

function message(id: string): string {
  return `id: ${id}\ndata: ${id}\n\n`;
}

async function opened() {
  const scene = stage();
  const body = openBody();
  scene.requests[0]?.answer(body.response);
  await vi.waitFor(() => expect(scene.last()).toBe('open'));
  return { ...scene, body };
}

describe('the stream of events', () => {
  it('asks with the token in a header and hands events on', async () => {
    const { requests, events, body } = await opened();
    expect(requests[0]).toMatchObject({
      url: '/api/v1/events/stream',
      headers: { authorization: 'Bearer secret' },
    });
    body.say(message('1'));
    await vi.waitFor(() => expect(events).toEqual([1]));
  });

  it('connects again after a cut, from the last event that it has', async () => {
    const { requests, events, body, last, advance } = await opened();
    body.say(message('41') + message('42'));
    await vi.waitFor(() => expect(events).toHaveLength(2));
    body.cut();
    await vi.waitFor(() => expect(last()).toBe('lost'));
    advance(nodeStreamLimits.reconnectFirstMs);
    expect(requests[1]?.headers['last-event-id']).toBe('42');
  });

  it('keeps its place over an event without an id', async () => {
    const { requests, events, body, last, advance } = await opened();
    body.say(`${message('41')}data: 7\n\n`);
    await vi.waitFor(() => expect(events).toEqual([41, 7]));
    body.cut();
    await vi.waitFor(() => expect(last()).toBe('lost'));
    advance(nodeStreamLimits.reconnectFirstMs);
    expect(requests[1]?.headers['last-event-id']).toBe('41');
    const second = openBody();
    requests[1]?.answer(second.response);
    await vi.waitFor(() => expect(last()).toBe('open'));
    second.say('data: 8\n\n');
    await vi.waitFor(() => expect(events).toHaveLength(3));
    second.cut();
    await vi.waitFor(() => expect(last()).toBe('lost'));
    advance(nodeStreamLimits.reconnectFirstMs);
    expect(requests[2]?.headers['last-event-id']).toBe('41');
  });

  it('gives up an event that never ends, and comes back', async () => {
    const { requests, states, body, last, advance } = await opened();
    const piece = 'x'.repeat(1024 * 1024);
    body.say('data: ');
    for (let sent = 0; sent <= clientsLimits.eventCharactersMax; sent += piece.length) body.say(piece);
    await vi.waitFor(() => expect(last()).toBe('lost'));
    expect(states.at(-1)).toMatchObject({
      reason: new Error(
        `An event of the stream is above the limit of ${clientsLimits.eventCharactersMax} characters.`,
      ),
    });
    advance(nodeStreamLimits.reconnectFirstMs);
    expect(requests).toHaveLength(2);
  });

  it('waits longer after every failure, up to the ceiling', async () => {
    const { requests, states, last, advance } = stage();
    const delays: number[] = [];
    let now = 0;
    for (let i = 0; i < 8; i++) {
      requests.at(-1)?.fail();
      await vi.waitFor(() => expect(last()).toBe('lost'));
      const state = states.at(-1);
      const delay = state?.kind === 'lost' ? state.retryAt - now : Number.NaN;
      delays.push(delay);
      now += delay;
      advance(delay);
      expect(last()).toBe('connecting');
    }
    expect(delays).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('does not storm a platform that says no', async () => {
    const { requests, last, advance } = stage();
    requests[0]?.answer(Response.json({ code: 'permission_denied', detail: 'no' }, { status: 403 }));
    await vi.waitFor(() => expect(last()).toBe('refused'));
    advance(1_000_000);
    expect(requests).toHaveLength(1);
  });

  it('tries again when a gateway answers for a platform that is away', async () => {
    const { requests, last } = stage();
    requests[0]?.answer(new Response('Bad gateway', { status: 502 }));
    await vi.waitFor(() => expect(last()).toBe('lost'));
  });

  it('skips what is not an event and goes on', async () => {
    const { garbage, events, body } = await opened();
    body.say(`data: {}\n\n${message('2')}`);
    await vi.waitFor(() => expect(events).toHaveLength(1));
    expect(garbage).toHaveLength(1);
  });

  it('asks whether the platform is there when the stream is silent, and believes the answer', async () => {
    const { requests, last, advance } = await opened();
    advance(clientsLimits.eventStreamIdleMs);
    expect(requests[1]?.url).toBe('/healthz');
    requests[1]?.answer(new Response('ok'));
    await Promise.resolve();
    expect(last()).toBe('open');
  });

  it('gives up a silent stream when the platform does not answer', async () => {
    const { requests, last, advance } = await opened();
    advance(clientsLimits.eventStreamIdleMs);
    requests[1]?.fail();
    await vi.waitFor(() => expect(last()).toBe('lost'));
  });

  it('tries at once when told to, and only one try counts', async () => {
    const { requests, last, stream, states } = stage();
    requests[0]?.fail();
    await vi.waitFor(() => expect(last()).toBe('lost'));
    stream.retryNow();
    stream.retryNow();
    expect(requests).toHaveLength(3);
    requests[2]?.answer(openBody().response);
    await vi.waitFor(() => expect(last()).toBe('open'));
    expect(states.filter((s) => s.kind === 'lost')).toHaveLength(1);
  });

  it('is quiet once it is closed', async () => {
    const { requests, states, stream, advance } = await opened();
    stream.close();
    const before = states.length;
    advance(1_000_000);
    await Promise.resolve();
    expect(states).toHaveLength(before);
    expect(requests).toHaveLength(1);
  });
});
