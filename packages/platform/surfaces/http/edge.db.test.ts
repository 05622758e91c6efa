// What the operators' listener does with requests that no client of good will sends.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Edge, problemOf, rawRequest, startEdge } from './edge.fixture.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

function expectStatus(answer: Answer, status: number): void {
  expect(answer.status, answer.text).toBe(status);
}

describe('the address of a request', () => {
  it.each([
    '/%zz',
    '/%ff.html',
    '/a%00.js',
    '/api/v1/system/sdwan/networks/%ff',
    '/api/v1/system/instances?limit=%ff',
  ])('that is not percent-encoded text is refused: %s [9.22]', async (path) => {
    expect(problemOf(await edge.get(path))).toMatchObject({ status: 400, code: 'malformed_request' });
  });

  it('may not be longer than anybody needs [9.22]', async () => {
    expect(problemOf(await edge.get(`/${'a'.repeat(9000)}`))).toMatchObject({ status: 400 });
    expect(problemOf(await edge.get(`/${'a'.repeat(5000)}.js`))).toMatchObject({ status: 404 });
  });

  it('with a method that it does not take is 405 with the methods that it takes [9.22]', async () => {
    const wrong = [
      ['POST', '/healthz', 'GET, HEAD'],
      ['DELETE', '/api/v1/system/sdwan/networks', 'GET, HEAD, POST'],
      ['GET', '/api/v1/actions/system_whoami', 'POST'],
      ['PUT', '/openapi.json', 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of wrong) {
      const answer = await edge.send({ method, path });
      expect(problemOf(answer), `${method} ${path}`).toMatchObject({
        status: 405,
        code: 'method_not_allowed',
      });
      expect(answer.headers['allow'], path).toBe(allow);
    }
    expect(problemOf(await edge.send({ method: 'POST', path: '/nothing' }))).toMatchObject({ status: 404 });
  });

  it('under /.well-known is no page [9.22]', async () => {
    expect(problemOf(await edge.get('/.well-known/oauth-authorization-server'))).toMatchObject({
      status: 404,
    });
  });
});

describe('the parameters of a request', () => {
  const networks = '/api/v1/system/sdwan/networks';

  it('may each stand once in the query [9.22]', async () => {
    expect(problemOf(await edge.get(`${networks}?limit=1&limit=2`))).toMatchObject({
      status: 422,
      errors: [{ path: 'limit', code: 'repeated' }],
    });
  });

  it('have the names of the action, also where JavaScript has others [9.22]', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(problemOf(await edge.get(`${networks}?${name}=1`)), name).toMatchObject({ status: 422 });
      const body = `{"name": "one", "${name}": 1}`;
      expectStatus(await edge.send({ method: 'POST', path: networks, body }), 422);
    }
  });

  it('may each stand once in the body [9.22]', async () => {
    const body = '{"name": "one", "name": "two"}';
    expect(problemOf(await edge.send({ method: 'POST', path: networks, body }))).toMatchObject({
      status: 400,
      detail: expect.stringContaining('"name" occurs twice'),
    });
  });

  it('of a GET are in its query, and a body is refused [9.22]', async () => {
    expect(problemOf(await edge.send({ method: 'GET', path: networks, body: '{"limit": 1}' }))).toMatchObject(
      {
        status: 400,
        detail: expect.stringContaining('GET'),
      },
    );
  });

  it('are characters: halves of surrogate pairs and bytes that are no UTF-8 are refused [9.22]', async () => {
    const bodies = [
      '{"name": "\\ud800"}',
      Buffer.from([...Buffer.from('{"name": "'), 0xff, ...Buffer.from('"}')]),
    ];
    for (const body of bodies) {
      for (const path of [networks, '/api/v1/actions/system_sdwan_create_network', '/mcp']) {
        expectStatus(await edge.send({ method: 'POST', path, body }), 400);
      }
    }
  });

  it('that wait for a decision are characters as well [9.22]', async () => {
    const path = '/api/v1/actions/system_sdwan_delete_network';
    expectStatus(await edge.send({ method: 'POST', path, body: '{"network_id": "\\udfff"}' }), 400);
  });
});

describe('the names of the listener', () => {
  it('are those of loopback and those that are allowed, on every route [9.23]', async () => {
    for (const path of [
      '/metrics',
      '/healthz',
      '/',
      '/openapi.json',
      '/api/v1/system/instances',
      '/mcp',
      '/bootstrap',
    ]) {
      const answer = await edge.send({ method: 'GET', path, headers: { host: 'attacker.example:7070' } });
      expect(answer.status, path).toBe(403);
    }
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:7070', 'allowed.example'])
      expectStatus(await edge.send({ method: 'GET', path: '/healthz', headers: { host } }), 200);
  });

  it('are those of the pages that may ask, on every route [9.23]', async () => {
    for (const origin of ['http://attacker.example', 'null', 'https://localhost.attacker.example']) {
      const answer = await edge.send({ method: 'GET', path: '/healthz', headers: { origin } });
      expect(answer.status, origin).toBe(403);
    }
    for (const origin of ['http://localhost:5173', 'https://allowed.example'])
      expectStatus(await edge.send({ method: 'GET', path: '/healthz', headers: { origin } }), 200);
  });
});

describe('headers', () => {
  it('of a proxy say nothing of where a request comes from', async () => {
    const forged = { 'x-forwarded-host': 'localhost', forwarded: 'host=localhost', host: 'attacker.example' };
    expectStatus(await edge.send({ method: 'GET', path: '/healthz', headers: forged }), 403);
    const path = '/api/v1/system/instances';
    const statuses = new Set<number>();
    // Each says that it comes from somewhere else; all are of one source.
    for (let i = 0; i < 60; i++) {
      const headers = {
        'x-forwarded-for': `203.0.113.${i}`,
        'x-real-ip': `203.0.113.${i}`,
        forwarded: `for=203.0.113.${i}`,
        authorization: `Bearer pnt_${'x'.repeat(43)}`,
      };
      statuses.add((await edge.send({ method: 'GET', path, headers })).status);
    }
    expect([...statuses]).toEqual([401, 429]);
    expectStatus(await edge.get(path), 200);
  });
});

describe('metrics', () => {
  it('need the token of an administrator of the platform, from loopback too [9.23]', async () => {
    expectStatus(await edge.send({ method: 'GET', path: '/metrics', token: null }), 401);
    expectStatus(await edge.get('/metrics'), 200);
  });
});

describe('slow and many clients', () => {
  it('of whom one does not finish its headers, or its body, are cut off [9.23]', async () => {
    const began = 'POST /api/v1/actions/system_whoami HTTP/1.1\r\nhost: localhost\r\n';
    const authorization = `authorization: Bearer ${edge.token}\r\n`;
    for (const sent of [
      began,
      `${began}${authorization}content-type: application/json\r\ncontent-length: 10\r\n\r\n{`,
    ]) {
      expect(await rawRequest(edge.port, sent)).toMatch(/^(?:HTTP\/1\.1 408|$)/);
    }
  }, 120_000);
});
