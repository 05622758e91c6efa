// The real platform as a process of its own on a folder of its own. What it is asked: calls.ts.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Started, start } from './child.ts';
import { ending } from './endings.ts';

export interface PlatformProcess extends Started {
  readonly url: string;
  readonly nodeUrl: string;
  readonly adminToken: string;
}

export interface PlatformOptions {
  readonly dataDir: string;
  /** Lets the heap be collected and the processor be profiled from outside. */
  readonly inspect?: boolean;
}

export const inspectorFlag = '--inspect=127.0.0.1:0';

export async function startPlatform({ dataDir, inspect }: PlatformOptions): Promise<PlatformProcess> {
  const nodePort = await freePort();
  const started = await start({
    nodeArgs: inspect === true ? [inspectorFlag] : [],
    file: 'packages/platform/main.ts',
    args: [
      'up',
      ...['--data-dir', dataDir],
      ...['--port', '0'],
      ...['--node-host', '127.0.0.1'],
      ...['--node-port', String(nodePort)],
      ...['--log-level', 'error'],
    ],
    ready: /^Powernode is up: (\S+)/,
  });
  const adminToken = (await readFile(path.join(dataDir, 'admin-token'), 'utf8')).trim();
  return { ...started, url: started.said, nodeUrl: `https://127.0.0.1:${nodePort}`, adminToken };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

/** A folder that is gone again afterwards, whatever happens in between. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pnbench-'));
  const remove = ending(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  try {
    return await run(folder);
  } finally {
    await remove();
  }
}
