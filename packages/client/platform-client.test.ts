// What the client sends, and what it makes of answers, against a real HTTP server.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerBytesMax } from '@powernode/core/limits/clients';
import { expect, onTestFinished, test } from 'vitest';
import { PlatformClient, type PlatformClientOptions } from './platform-client.ts';

async function clientOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<PlatformClientOptions> = {},
): Promise<PlatformClient> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new PlatformClient({ url, token: () => 'secret', fetch, timeoutMs: null, ...options });
}

test('a call posts its input to the address of the action, with the token and the headers', async () => {
  const client = await clientOf(
    (request, response) => {
      void request.toArray().then((chunks) => {
        const { method, url, headers } = request;
        const body: unknown = JSON.parse(Buffer.concat(chunks as Buffer[]).toString());
        response.writeHead(201).end(JSON.stringify({ method, url, headers, body }));
      });
    },
    { headers: { 'x-from': 'test' } },
  );
  const answer = await client.call('system_whoami', { a: 1 }, { headers: { 'idempotency-key': 'k' } });
  expect(answer).toMatchObject({
    status: 201,
    body: {
      method: 'POST',
      url: '/api/v1/actions/system_whoami',
      headers: { authorization: 'Bearer secret', 'x-from': 'test', 'idempotency-key': 'k' },
      body: { a: 1 },
    },
  });
});

test('a redirect is not followed, so that no other address gets the token', async () => {
  const asked: string[] = [];
  const client = await clientOf((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  await expect(client.call('a', {})).rejects.toMatchObject({ code: 'platform_unreachable' });
  expect(asked).toEqual(['/api/v1/actions/a']);
});

test('an answer without an end is given up at the limit', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const client = await clientOf((_request, response) => {
    const fill = () => {
      for (let isTaken = true; isTaken && !response.destroyed; sent += chunk.length) {
        isTaken = response.write(chunk);
      }
    };
    response.on('drain', fill);
    fill();
  });
  await expect(client.call('a', {})).rejects.toMatchObject({ code: 'payload_too_large' });
  expect(sent).toBeGreaterThan(answerBytesMax / 2);
});

test('an answer that takes too long is silence, and a call that was given up is not', async () => {
  const client = await clientOf(() => {}, { timeoutMs: 20 });
  await expect(client.call('a', {})).rejects.toMatchObject({
    code: 'platform_unreachable',
    message: expect.stringContaining('TimeoutError'),
  });
  const reason = new Error('no longer wanted');
  await expect(client.call('a', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('an answer that breaks off is silence', async () => {
  const client = await clientOf((_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{', () => response.destroy());
  });
  await expect(client.call('a', {})).rejects.toMatchObject({ code: 'platform_unreachable' });
});

test('a stream that is refused is the problem of the platform', async () => {
  const client = await clientOf((_request, response) => {
    response.writeHead(403).end(JSON.stringify({ code: 'permission_denied', detail: 'No.' }));
  });
  await expect(client.openStream('/api/v1/events/stream')).rejects.toMatchObject({
    code: 'permission_denied',
    message: 'No.',
  });
});
