// Requests of machines beside their stream that are none of the three.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { enrolPath, leavePath, renewPath } from '@powernode/core/wire/enrolment';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerRequest, type RequestParts } from './requests.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  const parts = {
    counters: { refusals: 0, enrolments: 0, renewals: 0 },
    check: async () => 'good',
    uses: { count: () => {} },
    log: pino({ level: 'silent' }),
  } as unknown as RequestParts;
  const identity = { instanceId: 'a', serial: 'b' } as never;
  server = createServer((request, response) => {
    const client = { identity, address: '192.0.2.1', publicKey: null } as never;
    void answerRequest(parts, { request, response, client });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe.each([enrolPath, renewPath, leavePath])('%s', (path) => {
  test.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])(
    'by %s is the wrong method, and says the right one [9.22]',
    async (method) => {
      const answer = await fetch(`${url}${path}`, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
      expect(await answer.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
    },
  );
});

test('another path is not found', async () => {
  const answer = await fetch(`${url}/elsewhere`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(404);
  expect(answer.headers.get('allow')).toBeNull();
});
