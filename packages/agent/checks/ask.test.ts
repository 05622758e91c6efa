// Services that are asked: what counts as an answer, and how much of one is read.
import http from 'node:http';
import net from 'node:net';
import { healthCheckAnswerBytesMax } from '@powernode/core/limits/anycast';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../ports/clock.ts';
import { askService, outcomeOfHttp, type Question } from './ask.ts';
import type { Outcome } from './verdict.ts';

function ask(port: number, change: Partial<Question> = {}): Promise<Outcome | undefined> {
  const question: Question = { address: '::1', protocol: 'tcp', port, interval_ms: 10_000, ...change };
  return new Promise((resolve) => {
    askService(systemClock)(question, ({ outcome }) => resolve(outcome));
  });
}

async function listening(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    // A check ends its connection by a reset.
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen({ host: '::1', port: 0 }, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const place = server.address();
  return typeof place === 'object' ? (place?.port ?? 0) : 0;
}

/** Sends this to everybody, and closes or waits. */
function saying(text: string, then: 'waits' | 'closes' = 'waits'): Promise<number> {
  return listening(
    net.createServer((socket) => {
      if (text !== '') socket.write(text);
      if (then === 'closes') socket.end();
    }),
  );
}

test('a port that takes connections is well, and one that does not is not', async () => {
  const server = net.createServer();
  const port = await listening(server);
  expect(await ask(port)).toBeNull();
  await new Promise((resolve) => server.close(resolve));
  expect(await ask(port)).toBe('the connection was refused');
});

test('an address that is not on this machine is not asked elsewhere', async () => {
  expect(await ask(80, { address: 'fd00:99::77' })).toBe('this instance does not have the address');
});

test('HTTP is asked for the path, and well by its status', async () => {
  const asked: (string | undefined)[] = [];
  let status = 204;
  const port = await listening(
    http.createServer((request, response) => {
      asked.push(request.url, request.headers.host);
      response.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(100_000));
    }),
  );
  const of = { protocol: 'http', path: '/healthz?full=1' } as const;
  expect(await ask(port, of)).toBeNull();
  expect(asked).toEqual(['/healthz?full=1', `[::1]:${port}`]);
  status = 302;
  expect(await ask(port, of)).toBeNull();
  status = 503;
  expect(await ask(port, of)).toBe('HTTP status 503');
  status = 404;
  expect(await ask(port, of)).toBe('HTTP status 404');
});

test('a service that says nothing, or something else, has not answered', async () => {
  const of = { protocol: 'http' } as const;
  expect(await ask(await saying(''), { ...of, interval_ms: 100 })).toBe('no answer within 100 ms');
  expect(await ask(await saying('SSH-2.0-OpenSSH_9.2\r\n'), of)).toBe('the answer is not HTTP');
  expect(await ask(await saying('HTTP/1.1 2', 'closes'), of)).toBe(
    'the connection was closed without an answer',
  );
});

test('a long answer is not read to its end', () => {
  expect(outcomeOfHttp('HTTP/1.1 '.padEnd(healthCheckAnswerBytesMax, '2'))).toBe('the answer is not HTTP');
  expect(outcomeOfHttp('HTTP/1.')).toBeUndefined();
  expect(outcomeOfHttp('HTTP/1.1 200\r\n')).toBeNull();
  expect(outcomeOfHttp('HTTP/2 200\r\n')).toBe('the answer is not HTTP');
});
