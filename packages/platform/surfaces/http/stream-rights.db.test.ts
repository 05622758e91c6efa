// Every stream of an operator ends when a right is lost, whoever takes it and in whichever process.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Role } from '@powernode/core/intent/account';
import { promisedMs } from '@powernode/core/testing/quiet';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createStreamRights, type StreamRights } from '../../access/stream-rights.ts';
import { createBootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { mcpSurface } from '../mcp/surface.ts';
import { createHttpApp } from './app.ts';
import { createEventStreams } from './event-stream.ts';

const log = pino({ level: 'silent' });
/** Of a process that hears nothing of what the others do. */
const deaf = { subscribe: () => () => {} };

let platform: TestPlatform;
let rights: StreamRights;
let app: ReturnType<typeof createHttpApp>;

beforeAll(async () => {
  platform = await startTestPlatform();
  rights = createStreamRights({ store: platform.store, bus: deaf, now: platform.services.now, log });
  const { invoke, authenticate, store, bus } = platform;
  const { newId } = platform.services;
  app = createHttpApp({
    invoke,
    authenticate,
    bootstrap: createBootstrap({ ...platform, log }),
    streams: createEventStreams({ store, bus: { ...bus, ...deaf } }),
    rights,
    mcp: mcpSurface({
      invoke,
      authenticate,
      log,
      version: 'test',
      allowedHosts: [],
      questionKey: new Uint8Array(32),
      sourceOf: () => '127.0.0.1',
      newId,
      // The platform itself has nothing to subscribe to yet.
      extend: (server) => server.server.registerCapabilities({ resources: { listChanged: true } }),
    }),
    metrics: { observeRequest: () => {}, print: async () => ({ text: '', type: 'text/plain' }) },
    ready: async () => {},
    newId,
    log,
    version: 'test',
    nodeUrl: () => 'https://192.0.2.1:7443',
    downloads: null,
    hosts: [],
    isSecure: false,
    consoleDirectory: '/nonexistent',
  });
});
afterAll(async () => {
  rights.close();
  await platform.close();
});

interface Reader {
  readonly operatorId: string;
  readonly tokenId: string;
  readonly token: string;
  readonly makerId: string;
}

let names = 0;

async function call(key: ActionKey, input: object, caller = platform.admin) {
  return (await platform.call(key, input, caller)) as unknown as Record<string, Record<string, string>>;
}

async function operator(role: Role, account_id?: string): Promise<string> {
  names += 1;
  const { operator: made } = await call('createOperator', { name: `operator-${names}`, role, account_id });
  return String(made?.['id']);
}

/** A token of an operator in another account, made by a colleague of it. */
async function reader(expires_in_seconds?: number): Promise<Reader> {
  names += 1;
  const { account } = await call('createAccount', { name: `account-${names}` });
  const makerId = await operator('owner', account?.['id']);
  const operatorId = await operator('admin', account?.['id']);
  const first = (await call('createApiToken', { operator_id: makerId, name: 'first' }))['api_token'];
  const maker = await platform.callerOf(String(first?.['token']));
  const input = { operator_id: operatorId, name: 'reads', expires_in_seconds };
  const made = (await call('createApiToken', input, maker))['api_token'];
  return { operatorId, makerId, tokenId: String(made?.['id']), token: String(made?.['token']) };
}

const streams = {
  'the stream of events': async ({ token }: Reader) => {
    const response = await app.request('http://127.0.0.1/api/v1/events/stream', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    const stream = response.body?.getReader();
    await stream?.read();
    return {
      async ended() {
        while ((await stream?.read())?.done === false);
      },
    };
  },
  'a subscription over MCP': async ({ token }: Reader) => {
    const client = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const url = new URL('http://127.0.0.1/mcp');
    await client.connect(
      new StreamableHTTPClientTransport(url, {
        requestInit: { headers: { authorization: `Bearer ${token}`, host: '127.0.0.1' } },
        fetch: async (input, init) => app.request(new Request(input, init)),
      }),
    );
    const subscription = await client.listen({ resourcesListChanged: true });
    return {
      async ended() {
        expect(await subscription.closed).toBe('remote');
        await client.close();
      },
    };
  },
} as const;

const losses: Readonly<Record<string, (of: Reader) => Promise<unknown>>> = {
  'its token is revoked': ({ tokenId }) => call('revokeApiToken', { api_token_id: tokenId, approve: true }),
  'its operator is disabled by an administrator of the platform': ({ operatorId }) =>
    call('disableOperator', { operator_id: operatorId }),
  'its role is lowered': ({ operatorId }) =>
    call('updateOperator', { operator_id: operatorId, role: 'viewer' }),
  'who made its token is disabled': ({ makerId }) =>
    call('disableOperator', { operator_id: makerId, approve: true }),
  'who made its token has a lower role': ({ makerId }) =>
    call('updateOperator', { operator_id: makerId, role: 'viewer' }),
};

describe.each(Object.entries(streams))('%s', (_name, open) => {
  it.each(Object.entries(losses))('ends when %s, in another process [9.4]', async (_loss, lose) => {
    const who = await reader();
    await operatorsLeft(who);
    const stream = await open(who);
    await lose(who);
    await endsInTime(stream.ended());
  });

  it('ends when its token expires [9.4]', async () => {
    const stream = await open(await reader(2));
    await endsInTime(stream.ended(), 2000);
  });
});

/** Within a second of the loss, which is so many milliseconds away. */
async function endsInTime(ended: Promise<void>, afterMs = 0): Promise<void> {
  const startMs = performance.now();
  await ended;
  expect(performance.now() - startMs - afterMs, 'after so many ms').toBeLessThan(promisedMs(1000));
}

/** So that the one that is taken away is not the last owner. */
async function operatorsLeft({ makerId }: Reader): Promise<void> {
  const { operators } = (await call('listOperators', {
    account_id: await accountOf(makerId),
  })) as unknown as {
    operators: { account_id: string }[];
  };
  const id = await operator('owner', operators[0]?.account_id);
  await call('createApiToken', { operator_id: id, name: 'stays' });
}

async function accountOf(operatorId: string): Promise<string> {
  const { api_tokens: tokens } = (await call('listApiTokens', { operator_id: operatorId })) as unknown as {
    api_tokens: { account_id: string }[];
  };
  return String(tokens[0]?.account_id);
}

test('a stream goes on while nothing is lost, and is not watched any more when its reader leaves [9.4]', async () => {
  const who = await reader();
  const watched: (() => void)[] = [];
  const looked = await platform.callerOf(who.token);
  let ends = 0;
  watched.push(rights.watch(looked, () => (ends += 1)));
  await call('updateOperator', { operator_id: who.operatorId, name: `renamed-${names}` });
  await call('updateOperator', { operator_id: who.operatorId, role: 'owner' });
  // One that has no right at all is ended by the same look that leaves the first alone.
  const gone = await reader();
  const other = await platform.callerOf(gone.token);
  await call('revokeApiToken', { api_token_id: gone.tokenId, approve: true });
  await new Promise<void>((resolve) => watched.push(rights.watch(other, resolve)));
  expect(ends).toBe(0);
  watched[0]?.();
  await call('revokeApiToken', { api_token_id: who.tokenId, approve: true });
  await new Promise<void>((resolve) => rights.watch(looked, resolve));
  expect(ends).toBe(0);
});
