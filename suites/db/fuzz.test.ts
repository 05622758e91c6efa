// Requests made from /openapi.json and bent out of shape, sent to the real listener: every answer is one that the
// document names, no answer is 5xx, and the kinds of nonsense that readers take differently are all among them.
// POWERNODE_FUZZ=20000 sends more; POWERNODE_TEST_SEED repeats a run.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Edge, startEdge } from '../../packages/platform/surfaces/http/edge.fixture.ts';
import { type Operation, operationsOf } from './fuzz/operations.ts';
import { type Bend, bends, requestFor } from './fuzz/requests.ts';

const requests = Number(process.env['POWERNODE_FUZZ'] ?? 1000);
const seed = Number(process.env['POWERNODE_TEST_SEED'] ?? Date.now() % 1_000_000);

let edge: Edge;
let operations: readonly Operation[];

beforeAll(async () => {
  edge = await startEdge();
  operations = operationsOf(JSON.parse((await edge.get('/openapi.json')).text));
});
afterAll(() => edge.close());

/** What a bent request may be answered; others as the document says. */
const answersTo: Partial<Record<Bend, readonly number[]>> = {
  half_of_a_pair: [400],
  no_utf8: [400],
  name_twice: [400],
  broken_percent: [400],
  broken_path: [400],
  long_path: [400],
  parameter_twice: [422],
  body_on_get: [400],
  other_method: [405],
  unknown_parameter: [422],
  too_deep: [400],
  no_json: [400],
};

describe(`requests made from the schemas (POWERNODE_TEST_SEED=${seed})`, () => {
  test(`are answered as the document says, ${requests} of them [9.22]`, { timeout: 600_000 }, async () => {
    const seen = new Map<Bend, number>();
    const drawn = fc.sample(
      fc
        .constantFrom(...operations)
        .chain((operation) => fc.constantFrom(...bends).chain((bend) => requestFor(operation, bend))),
      { numRuns: requests, seed },
    );
    for (const { operation, bend, sent } of drawn) {
      if (sent === null) continue;
      const asked = `${sent.method} ${sent.path} (${bend}) ${String(sent.body ?? '').slice(0, 200)}`;
      const answer = await edge.send(sent).catch((cause: unknown) => {
        throw new Error(`no answer to ${asked}`, { cause });
      });
      const said = `${asked}: ${answer.status} ${answer.text.slice(0, 300)}`;
      expect(answer.status, said).toBeLessThan(500);
      expectForm(answer, said);
      const allowed = answersTo[bend];
      // A token that sends as fast as this one is told to wait.
      if (answer.status === 429) continue;
      if (allowed !== undefined) expect(allowed, said).toContain(answer.status);
      else expect(isNamed(operation, answer.status), said).toBe(true);
      seen.set(bend, (seen.get(bend) ?? 0) + 1);
    }
    expect(bends.filter((bend) => !seen.has(bend))).toEqual([]);
  });
});

const paths = [
  '/%zz',
  '/%ff.html',
  '/a%00.js',
  '/%',
  '/api/%zz',
  '/api/v1/actions/%c3%28',
  `/${'x'.repeat(12_000)}`,
  `/${'x/'.repeat(4_000)}`,
  '/.well-known/',
  '/.well-known/nothing-of-the-kind',
  '/.well-known/oauth-protected-resource',
  '/bootstrap',
  '/bootstrap/',
  '/bootstrap/inspect',
  '/bootstrap/issue',
  '/bootstrap/%zz',
  '/mcp',
  '/mcp/%zz',
  '/healthz',
  '/metrics',
  '/install.sh',
  '/openapi.json',
  '/schemas/%2e%2e%2fetc%2fpasswd',
  '//',
  '/..%2f..%2fetc%2fpasswd',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH'];

test('no path that the document does not name is answered with 5xx, by whatever method [9.22]', async () => {
  for (const path of paths) {
    for (const method of methods) {
      // No stream is opened, which would not end.
      if (path === '/mcp' && method === 'GET') continue;
      for (const token of [null, undefined] as const) {
        const said = `${method} ${path.slice(0, 60)}`;
        const answer = await edge.send({ method, path, ...(token === null ? { token } : {}) });
        expect(answer.status, said).toBeLessThan(500);
        // MCP answers in JSON-RPC.
        if (method !== 'HEAD' && path !== '/mcp')
          expectForm(answer, `${said}: ${answer.status} ${answer.text.slice(0, 200)}`);
        if (answer.status === 405) expect(answer.headers['allow'], said).toMatch(/^[A-Z]+(?:, [A-Z]+)*$/);
        if (/%(?:zz|ff|00|c3%28|$)/.test(path)) expect(answer.status, said).toBe(400);
        if (path.startsWith('/.well-known/')) expect([404, 405], said).toContain(answer.status);
      }
    }
  }
});

function expectForm({ status, headers, text }: Answer, said: string): void {
  if (status < 400) return;
  expect(headers['content-type'], said).toBe('application/problem+json');
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(problem, said).toMatchObject({ status, code: expect.any(String), detail: expect.any(String) });
}

function isNamed(operation: Operation, status: number): boolean {
  return String(status) in operation.responses || (status >= 400 && 'default' in operation.responses);
}
