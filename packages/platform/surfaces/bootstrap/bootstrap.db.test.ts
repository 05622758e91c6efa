// The bootstrap page and its questions over HTTP: what each is answered, that nothing gives a secret away, and that
// the page may speak with nobody but its platform.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';
import { Hono } from 'hono';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { createHttpApp } from '../http/app.ts';

let platform: TestPlatform;
let app: ReturnType<typeof createHttpApp>;
let directory: string;
let networkId: string;
let logged = '';

beforeAll(async () => {
  platform = await startTestPlatform();
  directory = await mkdtemp(path.join(tmpdir(), 'pn-bootstrap-'));
  await writeFile(path.join(directory, 'bootstrap.html'), '<!doctype html><title>page</title>');
  app = appWith(directory);
  const accountId = platform.admin.accountId;
  const machine = await platform.addMachine(accountId, 'hub', { publicAddress: '203.0.113.1' });
  const { network } = (await platform.call('createNetwork', { name: 'Field Office' })) as unknown as {
    network: { id: string };
  };
  networkId = network.id;
  await platform.call('attachPeer', { network_id: networkId, node_instance_id: machine });
});
afterAll(async () => {
  await platform.close();
  await rm(directory, { recursive: true });
});

function appWith(consoleDirectory: string) {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  const log = pino({ level: 'trace' }, sink);
  return createHttpApp({
    invoke: platform.invoke,
    authenticate: platform.authenticate,
    bootstrap: createBootstrap({ ...platform, log }),
    streams: { open: async () => new Response(null), count: () => 0 },
    rights: platform.rights,
    mcp: new Hono(),
    metrics: { observeRequest: () => {}, print: async () => ({ text: '', type: 'text/plain' }) },
    ready: async () => {},
    newId: platform.services.newId,
    log,
    version: 'test',
    nodeUrl: () => 'https://192.0.2.1:7443',
    downloads: null,
    hosts: [],
    isSecure: false,
    consoleDirectory,
  });
}

async function makeSecret(): Promise<string> {
  const { access_grant: grant } = (await platform.call('createAccessGrant', {
    network_id: networkId,
    device_name_hint: 'phone',
  })) as unknown as { access_grant: { bootstrap_url: string } };
  return new URL(grant.bootstrap_url).hash.slice(1);
}

async function ask(
  what: 'inspect' | 'issue',
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return app.request(`http://127.0.0.1/api/v1/bootstrap/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const key = () => randomBytes(32).toString('base64');

describe('the questions', () => {
  test('inspect says what the secret is for, issue uses it, and then both say that it is used', async () => {
    const token = await makeSecret();
    const inspected = await ask('inspect', { token });
    expect(inspected.status).toBe(200);
    expect(inspected.headers.get('cache-control')).toBe('no-store');
    expect(await inspected.json()).toEqual({
      device_name_hint: 'phone',
      network_name: 'Field Office',
      expires_at: expect.any(String),
    });
    const issued = await ask('issue', { token, public_key: key(), name: 'Ada' });
    expect(issued.status).toBe(200);
    expect(await issued.json()).toMatchObject({
      name: 'Ada',
      network_name: 'Field Office',
      file_name: 'field-office.conf',
      config: expect.stringContaining(privateKeyPlaceholder),
    });
    for (const again of [await ask('inspect', { token }), await ask('issue', { token, public_key: key() })]) {
      expect(again.status).toBe(409);
      expect(again.headers.get('content-type')).toBe('application/problem+json');
      const problem = await again.text();
      expect(JSON.parse(problem)).toMatchObject({ code: 'conflict', access_grant_status: 'used' });
      expect(problem).not.toContain('Field Office');
    }
  });

  test('scripts get the configuration alone', async () => {
    const token = await makeSecret();
    const issued = await ask('issue', { token, public_key: key() }, { accept: 'text/plain' });
    expect(issued.headers.get('content-type')).toMatch(/^text\/plain/);
    // Asked inside of this process, as by a proxy: nothing is known of the device, which wg-quick(8) reads as a comment.
    expect(await issued.text()).toMatch(/^# The configuration uses an .*\n\[Interface\]\nPrivateKey = /);
  });

  test('scripts that name the address family get no warning, and a family is one of two [9.33]', async () => {
    const token = await makeSecret();
    const about = { token, public_key: key() };
    const refused = await ask('issue', { ...about, endpoint_family: 'ipv5' });
    expect(refused.status).toBe(422);
    const issued = await ask('issue', { ...about, endpoint_family: 'ipv4' }, { accept: 'text/plain' });
    expect(await issued.text()).toMatch(/^\[Interface\]\nPrivateKey = /);
  });

  test('a guess and a secret that never was are answered alike, with nothing in it', async () => {
    const token = await makeSecret();
    const wrong = [
      `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
      'guess',
      '',
      `pnt_${'a'.repeat(43)}`,
    ];
    const answers = await Promise.all(
      wrong.flatMap((guess) => [
        ask('inspect', { token: guess }),
        ask('issue', { token: guess, public_key: key() }),
      ]),
    );
    const texts = new Set(await Promise.all(answers.map((answer) => answer.text())));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([404]));
    expect(texts.size).toBe(1);
  });

  test.each([
    ['a key that is none', { public_key: 'nonsense' }, 422],
    ['no key', {}, 422],
    ['an unknown member', { public_key: key(), more: 1 }, 422],
    ['a name with control characters', { public_key: key(), name: 'a\u0007' }, 422],
  ] as const)('%s is refused and uses nothing up', async (_what, body, status) => {
    const token = await makeSecret();
    const refused = await ask('issue', { token, ...body });
    expect(refused.status).toBe(status);
    expect(await refused.text()).not.toContain(token);
    expect((await ask('inspect', { token })).status).toBe(200);
  });

  test('a form and a secret in the address are no questions', async () => {
    const token = await makeSecret();
    const form = await ask('inspect', `token=${token}`, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(form.status).toBe(400);
    const address = await app.request(`http://127.0.0.1/api/v1/bootstrap/inspect?token=${token}`);
    expect(address.status).toBe(401);
  });

  test('no origin may read an answer, and no cookie is set or asked for', async () => {
    const token = await makeSecret();
    const answer = await ask('inspect', { token }, { origin: 'https://elsewhere.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});

describe('the page', () => {
  test('may load and ask only its own platform', async () => {
    const page = await app.request('http://127.0.0.1/bootstrap');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  test('says so when it is not built', async () => {
    const page = await appWith('/nonexistent').request('http://127.0.0.1/bootstrap');
    expect(page.status).toBe(503);
    expect(await page.text()).toContain('npm run up');
  });
});

test('no log has a secret or a public key in it', async () => {
  const [token, publicKey] = [await makeSecret(), key()];
  await ask('issue', { token, public_key: publicKey });
  await ask('issue', { token, public_key: publicKey });
  await ask('inspect', { token: `${token}x` });
  expect(logged).toContain('a device was let in');
  expect(logged).not.toContain(token.slice(0, 20));
  expect(logged).not.toContain(publicKey);
});
