// The line of a join token as curl and sh take it, up to the point where the script would begin: who answers, who is
// believed, and what a machine without a certificate gets besides.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAuthority, unsealAuthority } from '../../packages/platform/trust/authority.ts';
import { SealKey } from '../../packages/platform/trust/seal.ts';
import { type PlatformProgram, startPlatformProgram } from '../stage/platform-program.ts';

let platform: PlatformProgram;
let command = '';
let nodeUrl = '';

beforeAll(async () => {
  platform = await startPlatformProgram(['--node-url', 'https://127.0.0.1:0']);
  const { join_token: made } = await platform.action<{ join_token: { command: string } }>(
    'system_create_join_token',
    {},
  );
  command = made.command;
  nodeUrl = /https:\/\/[^/]+/.exec(command)?.[0] ?? '';
});
afterAll(() => platform.end());

/** The line with what is behind the pipe replaced by something that only shows what came through. */
async function piped(line: string): Promise<{ stdout: string; code: number }> {
  const [fetching = ''] = line.split(' | ');
  const script = `set -o pipefail; ${fetching} | cat`;
  const run = promisify(execFile)('bash', ['-c', script], { encoding: 'utf8' });
  return run.then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => ({ stdout: error.stdout, code: error.code }),
  );
}

it('is the contract’s line, and brings the script from the listener that nodes use [9.18]', async () => {
  expect(command).toMatch(
    /^curl -fsSL https:\/\/127\.0\.0\.1:\d+\/install\.sh --insecure --pinnedpubkey sha256\/\/\S{44} \| sh -s -- --token pnj_\S+$/,
  );
  const { stdout, code } = await piped(command);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^#!\/bin\/sh\n/);
  expect(stdout).toContain(`platform='${nodeUrl}'\n`);
  expect(stdout).toContain(/--pinnedpubkey (\S+)/.exec(command)?.[1] ?? '?');
});

it('brings the same from the listener for operators [9.18]', async () => {
  const answer = await fetch(`${platform.url}/install.sh`);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe((await piped(command)).stdout);
  expect((await fetch(`${platform.url}/packages/..%2f..%2fadmin-token`)).status).toBe(404);
  expect((await fetch(`${platform.url}/packages/nothing`)).status).toBe(404);
});

it('runs nothing of somebody who stands in between, whatever certificate he shows [9.18]', async () => {
  const seen: string[] = [];
  const stranger = await listenAs(seen);
  const address = stranger.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { stdout, code } = await piped(command.replace(nodeUrl, `https://127.0.0.1:${port}`));
  // CURLE_SSL_PINNEDPUBKEYNOTMATCH
  expect({ stdout, code }).toEqual({ stdout: '', code: 90 });
  expect(seen).toEqual([]);
  stranger.close();
});

/** A platform of somebody else: of the same make, with a key of its own. */
async function listenAs(seen: string[]): Promise<Server> {
  const { key: sealKey } = SealKey.make();
  const parts = { kind: 'nodes', sealKey, clock: { now: Date.now } } as const;
  const authority = await unsealAuthority(await makeAuthority(parts), parts);
  const { chainPem: cert, privateKey } = await authority.issueServerCertificate({
    hosts: ['127.0.0.1'],
  });
  const server = createServer({ cert, key: privateKey.reveal() }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      seen.push(String(chunk));
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\necho evil');
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

it('is all that a machine without a certificate gets: anything else is cut off [9.18]', async () => {
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<number | string>((resolve) => {
      const outgoing = request(`${nodeUrl}${path}`, {
        method,
        headers,
        rejectUnauthorized: false,
        agent: false,
      });
      outgoing.once('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      outgoing.once('upgrade', () => resolve('upgraded'));
      outgoing.once('error', () => resolve('cut off'));
      outgoing.end();
    });
  expect(await ask('GET', '/install.sh')).toBe(200);
  expect(await ask('GET', '/packages/none')).toBe(404);
  expect(await ask('GET', '/packages/..%2F..%2F..%2Fpackage.json')).toBe(404);
  expect(await ask('GET', '/packages/../../../package.json')).toBe('cut off');
  for (const [method, path] of [
    ['GET', '/'],
    ['POST', '/install.sh'],
    ['PUT', '/packages/manifest.json'],
    ['GET', '/install.sh/'],
    ['POST', '/api/v1/node/enrol'],
  ] as const)
    expect([method, path, await ask(method, path)]).toEqual([method, path, 'cut off']);
  const stream = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const key = {
    'sec-websocket-key': Buffer.from(
      generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-16),
    ).toString('base64'),
  };
  expect(await ask('GET', '/install.sh', { ...stream, ...key })).toBe('cut off');
});
