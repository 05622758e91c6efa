// Bodies that do not come whole.
import { Hono } from 'hono';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { jsonBody } from './body.ts';
import type { HttpContext, HttpEnv } from './environment.ts';
import { answerProblem } from './problems.ts';

test("a body that its client breaks off is the client's end, and no error of the platform [9.22]", async () => {
  const logged: unknown[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(line) });
  const app = new Hono<HttpEnv>();
  app.onError((error, context) => answerProblem(context, error, log));
  app.post('/', async (context) => context.json(await jsonBody(context as HttpContext)));
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent++ === 0) controller.enqueue(Buffer.from('{"name": '));
      else controller.error(new Error('aborted'));
    },
  });
  const request = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } };
  const response = await app.request('/', request);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'malformed_request' });
  expect(logged).toEqual([]);
});
