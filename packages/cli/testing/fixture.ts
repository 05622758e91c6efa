// For tests: a platform that is only an HTTP server with answers put into it, and a world for the command line.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { runCli } from '../run-cli.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export type Reply =
  | { readonly status?: number; readonly body: unknown; readonly type?: string }
  | ((request: Received, response: ServerResponse) => void);

/** Answers `/api/v1/actions/<name>` from `replies[name]`, and other paths by themselves. */
export async function fixturePlatform(replies: Readonly<Record<string, Reply>>) {
  const received: Received[] = [];
  const server = createServer((message, response) => {
    void readRequest(message).then((request) => {
      received.push(request);
      const key = request.path.replace(/^\/api\/v1\/actions\//, '').replace(/\?.*/, '');
      const reply = replies[key] ?? { status: 404, body: problem('not_found', 404, `no ${key} here`) };
      if (typeof reply === 'function') return reply(request, response);
      const status = reply.status ?? 200;
      const type = reply.type ?? (status < 400 ? 'application/json' : 'application/problem+json');
      response.writeHead(status, { 'content-type': type });
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export function problem(code: string, status: number, detail: string, errors?: unknown) {
  return { type: `urn:powernode:error:${code}`, title: code, status, code, detail, errors };
}

async function readRequest(message: IncomingMessage): Promise<Received> {
  const text = Buffer.concat(await message.toArray()).toString();
  const body: unknown = text === '' ? null : JSON.parse(text);
  return { method: message.method ?? '', path: message.url ?? '', headers: message.headers, body };
}

export interface TestWorld {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly columns?: number;
}

export async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), 'powernode-cli-'));
  onTestFinished(() => rm(home, { recursive: true }));
  return home;
}

/** Runs a command line with nothing of this machine's own in its world. */
export async function cli(argv: readonly string[], world: TestWorld = {}) {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(argv, {
    stdout: { write: (text) => void (written.stdout += text), columns: world.columns },
    stderr: { write: (text) => void (written.stderr += text) },
    stdin: Readable.from(world.stdin === undefined ? [] : [world.stdin]),
    env: { HOME: world.env?.['HOME'] ?? (await temporaryHome()), ...world.env },
  });
  return { code, ...written };
}
