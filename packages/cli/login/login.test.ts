// Signing in: where the token comes from, where it is kept, and to whom it is sent.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { cli, fixturePlatform, problem, temporaryHome } from '../testing/fixture.ts';

const id = '01990000-0000-7000-8000-000000000001';
const stamps = {
  created_at: '2026-08-01T00:00:00.000Z',
  updated_at: '2026-08-01T00:00:00.000Z',
  revision: 1,
};
const whoami = {
  operator: {
    id,
    account_id: id,
    ...stamps,
    name: 'Ada',
    role: 'owner',
    platform_admin: true,
    disabled: false,
    disabled_at: null,
  },
  account: { id, account_id: id, ...stamps, name: 'Home', pool_prefix: 'fd00:1::/48' },
  permissions: ['system.events.read'],
};
const replies = { system_whoami: { body: whoami } };

test('login checks the token, keeps it for its owner alone, and logout removes it', async () => {
  const home = await temporaryHome();
  const platform = await fixturePlatform(replies);
  const login = await cli(['login', '--url', platform.url], { env: { HOME: home }, stdin: 'the-token\n' });
  const file = path.join(home, '.config', 'powernode', 'login.json');
  expect(login).toMatchObject({ code: 0, stderr: '' });
  expect(login.stdout).toBe(`Signed in at ${platform.url} as Ada (owner, account Home).\nKept in ${file}.\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ url: platform.url, token: 'the-token' });
  expect(platform.received[0]?.headers.authorization).toBe('Bearer the-token');
  expect((await cli(['whoami'], { env: { HOME: home } })).code).toBe(0);
  expect((await cli(['logout'], { env: { HOME: home } })).stdout).toBe(`Removed ${file}.\n`);
  expect((await cli(['logout'], { env: { HOME: home } })).stdout).toBe('You were not signed in.\n');
  expect(await cli(['whoami'], { env: { HOME: home, POWERNODE_URL: platform.url } })).toMatchObject({
    code: 77,
  });
});

test('a token that the platform refuses is not kept', async () => {
  const home = await temporaryHome();
  const refusal = { status: 401, body: problem('unauthenticated', 401, 'The token is not valid.') };
  const platform = await fixturePlatform({ system_whoami: refusal });
  const login = await cli(['login', '--url', platform.url], { env: { HOME: home }, stdin: 'wrong' });
  expect(login).toMatchObject({ code: 77, stderr: 'powernode: The token is not valid.\n' });
  await expect(stat(path.join(home, '.config'))).rejects.toThrow();
});

test('the token may come from a file; what is no token is said so', async () => {
  const home = await temporaryHome();
  const platform = await fixturePlatform(replies);
  const file = path.join(home, 'admin-token');
  await writeFile(file, 'from-file\n');
  const argv = ['login', '--url', platform.url, '--token-file'];
  expect(await cli([...argv, file], { env: { HOME: home } })).toMatchObject({ code: 0 });
  expect(platform.received[0]?.headers.authorization).toBe('Bearer from-file');
  expect(await cli([...argv, `${file}.none`], { env: { HOME: home } })).toMatchObject({ code: 64 });
  expect(await cli(['login', '--url', platform.url], { stdin: 'two words' })).toMatchObject({ code: 64 });
  expect(await cli(['login', '--url', platform.url], { stdin: '' })).toMatchObject({ code: 64 });
});

test('a stored token is not sent to another platform', async () => {
  const home = await temporaryHome();
  const [first, second] = [await fixturePlatform(replies), await fixturePlatform(replies)];
  await cli(['login', '--url', first.url], { env: { HOME: home }, stdin: 'the-token' });
  const elsewhere = await cli(['whoami'], { env: { HOME: home, POWERNODE_URL: second.url } });
  expect(elsewhere).toMatchObject({ code: 77, stderr: expect.stringContaining('powernode login') });
  expect(second.received).toEqual([]);
  expect(await cli(['whoami', '--url', second.url], { env: { HOME: home } })).toMatchObject({ code: 77 });
});

test.each(['http://platform.example', 'ftp://127.0.0.1', 'localhost:7070', 'http://name:word@127.0.0.1'])(
  'a token is not sent to %s',
  async (url) => {
    expect(await cli(['whoami'], { env: { POWERNODE_URL: url, POWERNODE_TOKEN: 'x' } })).toMatchObject({
      code: 64,
    });
  },
);

test('what does not answer, and what is no platform, is said so', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await new Promise((ended) => closed.close(ended));
  const env = { POWERNODE_URL: url, POWERNODE_TOKEN: 'x' };
  expect(await cli(['whoami'], { env })).toMatchObject({
    code: 69,
    stderr: expect.stringContaining(`No response from ${url} (ECONNREFUSED)`),
  });
  const other = await fixturePlatform({ system_whoami: { body: '<html>hello</html>', type: 'text/html' } });
  expect(await cli(['whoami'], { env: { ...env, POWERNODE_URL: other.url } })).toMatchObject({
    code: 69,
    stderr: expect.stringContaining('is not a Powernode platform'),
  });
  const moved = await fixturePlatform({
    system_whoami: (_, response) => void response.writeHead(302, { location: other.url }).end(),
  });
  expect(await cli(['whoami'], { env: { ...env, POWERNODE_URL: moved.url } })).toMatchObject({ code: 69 });
});

test.skipIf(!hasOpenssl())(
  'an authority of one’s own is trusted when it is named, and only then',
  async () => {
    const home = await temporaryHome();
    const before = getCACertificates('default');
    onTestFinished(() => setDefaultCACertificates(before));
    const { key, certificate, file } = await selfSigned(home);
    const server = createServer({ key, cert: certificate }, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whoami));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { HOME: home, POWERNODE_URL: url, POWERNODE_TOKEN: 'x' };
    expect(await cli(['whoami'], { env })).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('--ca FILE'),
    });
    expect(await cli(['whoami', '--ca', file], { env })).toMatchObject({ code: 0 });
    expect(await cli(['login', '--ca', file], { env, stdin: 'x' })).toMatchObject({ code: 0 });
    expect(await cli(['whoami'], { env: { HOME: home } })).toMatchObject({ code: 0 });
    expect(await cli(['whoami', '--ca', `${file}.none`], { env })).toMatchObject({ code: 64 });
  },
);

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function selfSigned(directory: string) {
  const [keyFile, file] = [path.join(directory, 'key.pem'), path.join(directory, 'ca.pem')];
  const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', file], {
    stdio: 'ignore',
  });
  return { key: await readFile(keyFile), certificate: await readFile(file), file };
}
