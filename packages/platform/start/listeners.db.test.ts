// The listeners as they meet strangers: TLS of the operators' one, how many connections it takes, and whom the metrics
// listener answers.
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { operatorConnectionsPerSourceMax } from '@powernode/core/limits/requests';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Edge, rawRequest, startEdge } from '../surfaces/http/edge.fixture.ts';
import { listenForMetrics, type MetricsListener } from './metrics-listener.ts';

let secure: Edge;
beforeAll(async () => {
  secure = await startEdge({ flags: { host: '0.0.0.0' } });
});
afterAll(() => secure?.close());

const local = '127.0.0.1';

describe('TLS for operators', () => {
  test.each(['/healthz', '/nothing', '/api/v1/system/instances'])(
    'browsers are told to come back by HTTPS only, whatever the answer: %s [9.23]',
    async (path) => {
      const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
        const to = { host: local, port: secure.port, path, rejectUnauthorized: false };
        request(to, (answer) => {
          answer.resume();
          resolve(answer.headers);
        })
          .on('error', reject)
          .end();
      });
      const [, seconds] = /^max-age=(\d+)/.exec(String(headers['strict-transport-security'])) ?? [];
      expect(Number(seconds)).toBeGreaterThanOrEqual(180 * 24 * 3600);
    },
  );

  /** What was agreed on, or why nothing was. */
  function handshake(terms: { ciphers?: string; min?: SecureVersion; max: SecureVersion }): Promise<string> {
    return new Promise((resolve) => {
      const socket = connectTls({
        host: local,
        port: secure.port,
        rejectUnauthorized: false,
        minVersion: terms.min ?? terms.max,
        maxVersion: terms.max,
        // Level 0: what this side would refuse by itself proves nothing about the other one.
        ciphers: `${terms.ciphers ?? 'ALL'}:@SECLEVEL=0`,
      });
      socket.once('secureConnect', () => {
        resolve(socket.getCipher().name);
        socket.destroy();
      });
      socket.once('error', (error) => resolve(`refused: ${error.message}`));
    });
  }

  test.each([
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ])('takes %s with TLS 1.2 [9.23]', async (ciphers) => {
    expect(await handshake({ ciphers, max: 'TLSv1.2' })).toBe(ciphers);
  });

  test.each([
    'ECDHE-ECDSA-AES256-SHA384',
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-ECDSA-AES128-SHA',
    'AES128-GCM-SHA256:AES256-SHA',
  ])('does not take %s: CBC, or without forward secrecy [9.23]', async (ciphers) => {
    expect(await handshake({ ciphers, max: 'TLSv1.2' })).toMatch(/^refused/);
  });

  test('does not take TLS 1.1, and takes TLS 1.3 [9.23]', async () => {
    expect(await handshake({ max: 'TLSv1.1', min: 'TLSv1' })).toMatch(/^refused/);
    expect(await handshake({ max: 'TLSv1.3' })).toMatch(/^TLS_/);
  });
});

/** A connection, and whether the other side kept it. */
async function opened(host: string, port: number): Promise<{ socket: Socket; ended: () => boolean }> {
  let over = false;
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    over = true;
  });
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return { socket, ended: () => over };
}

describe('connections of operators', () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

  test.skipIf(outside === undefined)(
    'are so many from one address, and one more when one has ended [9.23]',
    async () => {
      const host = outside ?? '';
      const all = await Promise.all(
        Array.from({ length: operatorConnectionsPerSourceMax }, () => opened(host, secure.port)),
      );
      try {
        const last = await opened(host, secure.port);
        await expect.poll(last.ended).toBe(true);
        expect(all.filter(({ ended }) => ended())).toEqual([]);
        // Whoever comes from this machine itself is not counted, as a proxy there stands for everybody.
        const own = await opened(local, secure.port);
        all[0]?.socket.destroy();
        await expect
          .poll(async () => {
            const again = await opened(host, secure.port);
            // Long enough for a refusal: an answer takes one round of the same loop.
            const kept = await handshakes(again.socket);
            again.socket.destroy();
            return kept;
          })
          .toBe(true);
        expect(own.ended()).toBe(false);
        own.socket.destroy();
      } finally {
        for (const { socket } of all) socket.destroy();
      }
    },
  );

  /** Whether TLS begins on it, which it does on none that is refused. */
  function handshakes(socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      const tls = connectTls({ socket, rejectUnauthorized: false });
      tls.once('secureConnect', () => resolve(true));
      tls.once('error', () => resolve(false));
      tls.once('close', () => resolve(false));
    });
  }

  test('are so many in all [9.23]', async () => {
    const few = await startEdge({ limits: { connections: 3, connectionsPerSource: 100 } });
    const all = [];
    try {
      for (let i = 0; i < 3; i++) all.push(await opened(local, few.port));
      const last = await opened(local, few.port);
      await expect.poll(last.ended).toBe(true);
      expect(all.filter(({ ended }) => ended())).toEqual([]);
    } finally {
      for (const { socket } of all) socket.destroy();
      await few.close();
    }
  });
});

describe('the listener for metrics', () => {
  let metrics: MetricsListener;
  beforeAll(async () => {
    metrics = await listenForMetrics({
      port: 0,
      metrics: { print: async () => ({ text: 'up 1\n', type: 'text/plain' }) },
      log: pino({ level: 'silent' }),
    });
  });
  afterAll(() => metrics?.close());

  test.each([
    ['GET', '/metrics', 'localhost', 200],
    ['GET', '/metrics', '127.0.0.1:9100', 200],
    ['GET', '/metrics', '[::1]', 200],
    ['GET', '/metrics', 'evil.example', 403],
    ['GET', '/metrics', 'localhost.evil.example', 403],
    ['GET', '/metrics', '127.0.0.1.evil.example:80', 403],
    ['GET', '/', 'localhost', 404],
    ['GET', '/healthz', 'localhost', 404],
    ['POST', '/metrics', 'localhost', 405],
  ])('answers %s %s for the host %s with %d [9.23]', async (method, path, host, status) => {
    const said = await rawRequest(
      metrics.port,
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(said.split('\r\n')[0]).toContain(`HTTP/1.1 ${status} `);
    expect(said.includes('up 1')).toBe(status === 200);
  });

  test('refuses a request without a host [9.23]', async () => {
    const said = await rawRequest(metrics.port, 'GET /metrics HTTP/1.0\r\n\r\n');
    expect(said).toMatch(/^HTTP\/1\.1 40[03] /);
  });
});
