// Downloads on a real socket: whoever asks and does not read takes no download from others.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { packageDownloadsMax, packageIdleMs } from '@powernode/core/limits/packages';
import { manifestName, type PackageManifest, packagesPath } from '@powernode/core/wire/packages';
import { Hono } from 'hono';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDownloads, type Downloads } from '../../install/packages.ts';
import { downloadSurface } from './downloads.ts';
import type { HttpEnv } from './environment.ts';
import { answerProblem } from './problems.ts';

const name = 'powernode-agent-linux-x64.gz';
/** More than the buffers of both ends of a connection hold. */
const bytes = 32 * 1024 * 1024;

let directory: string;
let server: Server;
let downloads: Downloads;
let timers: Set<{ readonly delayMs: number; readonly run: () => void }>;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'pn-downloads-'));
  const sha256 = 'a'.repeat(64);
  const manifest: PackageManifest = {
    version: '1.2.3',
    packages: [{ name, arch: 'x64', format: 'gz', bytes, sha256, program_sha256: sha256 }],
  };
  await writeFile(path.join(directory, manifestName), JSON.stringify(manifest));
  await writeFile(path.join(directory, name), Buffer.alloc(bytes, 7));
  timers = new Set();
  downloads = createDownloads({
    directory,
    nodeUrl: () => 'https://192.0.2.1:7443',
    pin: `sha256//${'A'.repeat(43)}=`,
    clock: {
      after: (delayMs, run) => {
        const timer = { delayMs, run };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
  });
  const app = new Hono<HttpEnv>();
  app.onError((error, context) => answerProblem(context, error, pino({ level: 'silent' })));
  app.route('/', downloadSurface(downloads));
  const answer = getRequestListener(app.fetch);
  server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

async function ask(method: 'GET' | 'HEAD'): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const asked = request({ port, method, path: `${packagesPath}${name}`, agent: false });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

async function bytesOf(answer: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of answer) length += (chunk as Buffer).length;
  return length;
}

it('HEAD opens no download, however many ask [9.18]', async () => {
  for (let i = 0; i <= packageDownloadsMax; i++) {
    const answer = await ask('HEAD');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-length': String(bytes), 'cache-control': 'no-store' });
    answer.resume();
  }
  const got = await ask('GET');
  expect(got.statusCode).toBe(200);
  expect(await bytesOf(got)).toBe(bytes);
  await expect.poll(() => timers.size).toBe(0);
});

it('a download that takes nothing for too long is cut off, and others find its place [9.18]', async () => {
  const found = await downloads.find(`${packagesPath}${name}`);
  for (let i = 1; i < packageDownloadsMax; i++) {
    const held = found.open(() => (held as Readable).destroy());
  }
  const idle = await ask('GET');
  expect((await ask('GET')).statusCode).toBe(429);
  expect([...timers].map(({ delayMs }) => delayMs)).toEqual(Array(packageDownloadsMax).fill(packageIdleMs));
  await expect.poll(settled).toBe(true);
  for (const timer of timers) timer.run();
  await expect(bytesOf(idle)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect.poll(() => timers.size).toBe(0);
  expect(await bytesOf(await ask('GET'))).toBe(bytes);
});

/** Nothing moves any more: the same timers twice in a row. */
let before: unknown[] = [];
function settled(): boolean {
  const now = [...timers];
  const same = now.length === before.length && now.every((one, i) => one === before[i]);
  before = now;
  return same;
}

it('a download goes on as long as something is taken of it [9.18]', async () => {
  const answer = await ask('GET');
  const first = [...timers];
  expect(await bytesOf(answer)).toBe(bytes);
  // Each of the first was called off for another one.
  for (const timer of first) expect(timers.has(timer)).toBe(false);
});
