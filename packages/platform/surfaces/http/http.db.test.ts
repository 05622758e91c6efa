// The operators' HTTP surface over a real database: problems, limits, resource routes, and the live stream.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { routesOf } from '@powernode/core/actions/define';
import type { Event } from '@powernode/core/intent/fleet';
import { Hono } from 'hono';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { createHttpApp } from './app.ts';
import { createEventStreams } from './event-stream.ts';

let platform: TestPlatform;
let app: ReturnType<typeof createHttpApp>;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = createHttpApp({
    invoke: platform.invoke,
    authenticate: platform.authenticate,
    bootstrap: createBootstrap({ ...platform, log: pino({ level: 'silent' }) }),
    streams: createEventStreams({ store: platform.store, bus: platform.bus }),
    rights: platform.rights,
    mcp: new Hono(),
    metrics: { observeRequest: () => {}, print: async () => ({ text: '', type: 'text/plain' }) },
    ready: async () => {},
    newId: platform.services.newId,
    log: pino({ level: 'silent' }),
    version: 'test',
    nodeUrl: () => 'https://192.0.2.1:7443',
    downloads: null,
    hosts: [],
    isSecure: false,
    consoleDirectory: '/nonexistent',
  });
});
afterAll(() => platform.close());

interface Sent {
  readonly method?: string;
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | null;
}

async function send(path: string, sent: Sent = {}): Promise<Response> {
  const token = sent.token === undefined ? platform.adminToken : sent.token;
  const body = typeof sent.body === 'object' ? JSON.stringify(sent.body) : sent.body;
  return app.request(`http://127.0.0.1${path}`, {
    method: sent.method ?? 'GET',
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

async function json(response: Response): Promise<Record<string, never>> {
  return (await response.json()) as Record<string, never>;
}

const action = (name: string, body: object, more: Sent = {}) =>
  send(`/api/v1/actions/${name}`, { method: 'POST', body, ...more });

describe('problems', () => {
  test.each([
    ['no token', () => send('/api/v1/system/sdwan/networks', { token: null }), 401, 'unauthenticated'],
    [
      'a wrong token',
      () => send('/api/v1/system/sdwan/networks', { token: 'pnt_wrong' }),
      401,
      'unauthenticated',
    ],
    ['an unknown address', () => send('/api/v1/nothing'), 404, 'not_found'],
    ['an unknown action', () => action('system_nothing', {}), 404, 'not_found'],
    ['a body that is no JSON', () => action('system_whoami', {}, { body: '{' }), 400, 'malformed_request'],
    ['a body that is a list', () => action('system_whoami', {}, { body: '[]' }), 400, 'malformed_request'],
    [
      'a form',
      () =>
        action(
          'system_whoami',
          {},
          { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        ),
      400,
      'malformed_request',
    ],
    [
      'a body of 2 MiB',
      () => action('system_whoami', {}, { body: `"${'x'.repeat(2 ** 21)}"` }),
      413,
      'payload_too_large',
    ],
    ['a missing parameter', () => action('system_sdwan_create_network', {}), 422, 'validation_failed'],
    ['a cursor of another list', () => send('/api/v1/system/instances?cursor=xyz'), 422, 'validation_failed'],
    [
      'an absent object',
      () => send('/api/v1/system/sdwan/networks/01990000-0000-7000-8000-000000000001'),
      404,
      'not_found',
    ],
    [
      'a parameter in the query of the generic route',
      () =>
        send('/api/v1/actions/system_sdwan_create_network?dry_run=true', {
          method: 'POST',
          body: { name: 'q' },
        }),
      422,
      'validation_failed',
    ],
    [
      'a text with a zero byte',
      () => action('recent_events', { kind_prefix: '\0' }),
      422,
      'validation_failed',
    ],
    ['a wrong query of the stream', () => send('/api/v1/events/stream?kind=a'), 422, 'validation_failed'],
    ['an id that is none', () => send('/api/v1/system/sdwan/networks/12'), 422, 'validation_failed'],
  ] as const)('%s', async (_name, request, status, code) => {
    const response = await request();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-correlation-id')).toBeTruthy();
    expect(await json(response)).toMatchObject({ status, code, type: `urn:powernode:error:${code}` });
  });

  test('guessing tokens is answered 429 after a while, for that address', async () => {
    const statuses: number[] = [];
    const guessed = createGuesser();
    for (let i = 0; i < 40; i++) statuses.push(await guessed());
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    // Who has a token is let in from there all the same.
    expect(await guessed(platform.adminToken)).toBe(200);
  });
});

/** The application once more, so that the other tests' address is not shut out. */
function createGuesser(): (token?: string) => Promise<number> {
  return async (token = 'pnt_guess') => {
    const failure = await platform
      .authenticate({ authorization: `Bearer ${token}`, source: '192.0.2.77' })
      .then(() => ({ meaning: { httpStatus: 200 } }))
      .catch((error: { meaning: { httpStatus: number } }) => error);
    return failure.meaning.httpStatus;
  };
}

describe('resource routes', () => {
  test('take the whole life of a network', async () => {
    const base = '/api/v1/system/sdwan/networks';
    const created = await send(base, { method: 'POST', body: { name: 'routes' } });
    expect(created.status).toBe(201);
    const { network } = (await json(created)) as unknown as { network: { id: string; revision: number } };
    expect(created.headers.get('location')).toBe(`${base}/${network.id}`);
    const listed = (await json(await send(`${base}?name=routes&limit=1`))) as { count?: number };
    expect(listed.count).toBe(1);
    const patched = await send(`${base}/${network.id}`, {
      method: 'PATCH',
      body: { description: 'by routes', if_revision: network.revision },
    });
    expect(await json(patched)).toMatchObject({ network: { description: 'by routes', revision: 2 } });
    const plan = await send(`${base}/${network.id}?dry_run=true`, { method: 'DELETE' });
    expect(await json(plan)).toMatchObject({ dry_run: true, plan: { node_count: 0 } });
    expect((await send(`${base}/${network.id}`, { method: 'DELETE' })).status).toBe(202);
    expect((await send(`${base}/${network.id}?approve=true`, { method: 'DELETE' })).status).toBe(200);
    expect((await send(`${base}/${network.id}`)).status).toBe(404);
  });

  test('answer as the generic route of the same action does', async () => {
    const created = await json(await action('system_sdwan_create_network', { name: 'same' }));
    const id = (created['network'] as unknown as { id: string }).id;
    const byRoute = await json(await send(`/api/v1/system/sdwan/networks/${id}`));
    expect(byRoute).toEqual(await json(await action('system_sdwan_get_network', { network_id: id })));
  });

  test('two that make the same name at one moment: one does, the other is told so', async () => {
    const both = await Promise.all(
      [1, 2].map(() => action('system_create_operator', { name: 'twin', role: 'viewer' })),
    );
    expect(both.map((response) => response.status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  test('a verb is one under its member too, whatever its method is', async () => {
    const { join_token: token } = (await json(
      await action('system_create_join_token', { name_hint: 'verbs' }),
    )) as unknown as { join_token: { id: string } };
    const at = `/api/v1/system/join_tokens/${token.id}`;
    // Revoking waits for a decision by default (contract §7).
    expect((await send(`${at}/revoke`, { method: 'POST', body: {} })).status).toBe(202);
    const deleted = await send(`${at}?approve=true`, { method: 'DELETE' });
    expect(await json(deleted)).toMatchObject({ join_token: { status: 'revoked' } });
  });

  test('are the ones of the contract', () => {
    const collections = ['instances', 'sdwan/networks', 'sdwan/peers', 'approvals', 'policies'];
    const routes = new Set(
      actionKeys.flatMap((key) => routesOf(definitionOf(key))).map((r) => `${r.method} ${r.path}`),
    );
    for (const collection of collections) expect(routes).toContain(`GET /${collection}`);
  });

  test('a list goes on where its cursor says, without gap or repetition', async () => {
    for (let i = 0; i < 7; i++) await action('system_sdwan_create_network', { name: `page-${i}` });
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page = (await json(await send(`/api/v1/system/sdwan/networks?limit=3${query}`))) as unknown as {
        networks: { name: string }[];
        next_cursor: string | null;
        has_more: boolean;
      };
      names.push(...page.networks.map((one) => one.name));
      expect(page.has_more).toBe(page.next_cursor !== null);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name.startsWith('page-'))).toEqual(
      Array.from({ length: 7 }, (_, i) => `page-${i}`),
    );
  });
});

describe('the event stream', () => {
  /** Reads events off a stream until the condition holds. */
  async function readUntil(response: Response, done: (events: Event[]) => boolean): Promise<Event[]> {
    const events: Event[] = [];
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
    if (reader === undefined) throw new Error('no body');
    const decoder = new TextDecoder();
    let text = '';
    while (!done(events)) {
      const { value, done: ended } = await reader.read();
      if (ended) break;
      text += decoder.decode(value, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (data !== undefined) events.push(JSON.parse(data) as Event);
      }
    }
    await reader.cancel();
    return events;
  }

  test('tells live what is changed, with its actor, and with before and after', async () => {
    const stream = await send('/api/v1/events/stream?kind_prefix=sdwan.network');
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const created = await action('system_sdwan_create_network', { name: 'told' });
    const [event] = await readUntil(stream, (events) => events.length > 0);
    expect(event).toMatchObject({
      kind: 'sdwan.network.created',
      actor: { kind: 'operator', name: 'administrator' },
      correlation_id: created.headers.get('x-correlation-id'),
      payload: { before: null, after: { name: 'told' } },
    });
  });

  test.each(['kind_prefix=a&kind_prefix=b', '__proto__=1', 'limit=1'])(
    'takes kind_prefix once and nothing else: not %s [9.22]',
    async (query) => {
      const refused = await send(`/api/v1/events/stream?${query}`);
      expect([refused.status, await json(refused)]).toMatchObject([422, { code: 'validation_failed' }]);
    },
  );

  test('goes on after the last event that was read, without gap', async () => {
    const first = await send('/api/v1/events/stream?kind_prefix=sdwan.network');
    await action('system_sdwan_create_network', { name: 'resume-0' });
    const [last] = await readUntil(first, (events) => events.length > 0);
    for (let i = 1; i <= 3; i++) await action('system_sdwan_create_network', { name: `resume-${i}` });
    const again = await send('/api/v1/events/stream?kind_prefix=sdwan.network', {
      headers: { 'last-event-id': last?.id ?? '' },
    });
    await action('system_sdwan_create_network', { name: 'resume-4' });
    const events = await readUntil(again, (seen) => seen.length >= 4);
    expect(events.map((event) => (event.payload['after'] as { name: string }).name)).toEqual([
      'resume-1',
      'resume-2',
      'resume-3',
      'resume-4',
    ]);
  });

  test('tells in order also what the bus never told of', async () => {
    const deaf: (() => void)[] = [];
    const streams = createEventStreams({
      store: platform.store,
      bus: {
        ...platform.bus,
        subscribe: (listener) => {
          // The first message is lost.
          let lost = false;
          const end = platform.bus.subscribe((message) => {
            if (lost) listener(message);
            lost = true;
          });
          deaf.push(end);
          return end;
        },
      },
    });
    const authorization = `Bearer ${platform.adminToken}`;
    const caller = await platform.authenticate({ authorization, source: '127.0.0.1' });
    const stream = await streams.open({
      caller,
      kindPrefix: 'sdwan.network.created',
      lastEventId: undefined,
    });
    await action('system_sdwan_create_network', { name: 'unheard' });
    await action('system_sdwan_create_network', { name: 'heard' });
    const events = await readUntil(stream, (seen) => seen.length >= 2);
    expect(events.map((event) => (event.payload['after'] as { name: string }).name)).toEqual([
      'unheard',
      'heard',
    ]);
    expect(streams.count()).toBe(0);
  });

  test('is not ended by what was undone before it was opened', async () => {
    const made = (await json(
      await action('system_create_operator', { name: 'comes back', role: 'viewer' }),
    )) as unknown as { operator: { id: string } };
    const before = await send('/api/v1/events/stream?kind_prefix=sdwan.network');
    await action('system_sdwan_create_network', { name: 'before' });
    const [last] = await readUntil(before, (events) => events.length > 0);
    const { api_token: token } = (await json(
      await action('system_create_api_token', { name: 'back', operator_id: made.operator.id }),
    )) as unknown as { api_token: { token: string } };
    await action('system_disable_operator', { operator_id: made.operator.id, approve: true });
    await action('system_update_operator', { operator_id: made.operator.id, disabled: false });
    await action('system_sdwan_create_network', { name: 'after' });
    const stream = await send('/api/v1/events/stream?kind_prefix=sdwan.network', {
      token: token.token,
      headers: { 'last-event-id': last?.id ?? '' },
    });
    const events = await readUntil(stream, (seen) => seen.length >= 1);
    expect(events.map((event) => (event.payload['after'] as { name: string }).name)).toEqual(['after']);
  });

  test('ends when its token is revoked', async () => {
    const { api_token: token } = (await json(
      await action('system_create_api_token', { name: 'ends' }),
    )) as unknown as {
      api_token: { id: string; token: string };
    };
    const stream = await send('/api/v1/events/stream', { token: token.token });
    await action('system_revoke_api_token', { api_token_id: token.id, approve: true });
    await readUntil(stream, () => false);
    expect((await send('/api/v1/system/whoami', { token: token.token })).status).toBe(401);
  });
});
