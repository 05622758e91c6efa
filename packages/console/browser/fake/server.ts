// Serves a fake platform over HTTP, with the built console and the content policy of the real one. It can be taken
// away and brought back on the same port.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { FakePlatform } from './platform.ts';

export const fakeToken = 'pnt_token-of-the-tests';

const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface FakeServer {
  readonly url: string;
  readonly platform: FakePlatform;
  /** The tokens that are let in. */
  readonly tokens: Set<string>;
  /** The names of the operators of other tokens than the one of the tests. */
  readonly names: Map<string, string>;
  /** Ends the server and every connection, as a killed process would. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function serveFake(platform: FakePlatform, directory: string): Promise<FakeServer> {
  const tokens = new Set([fakeToken]);
  const names = new Map<string, string>();
  let port = 0;
  let server: Server;

  async function start(): Promise<void> {
    server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-security-policy', contentPolicy);
    if (pathname === '/healthz') return json(response, 200, { status: 'ok' });
    if (!pathname.startsWith('/api/')) return serveFile(response, { directory, pathname });
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (!tokens.has(token)) {
      const code = 'unauthenticated';
      return json(response, 401, {
        code,
        status: 401,
        title: 'A valid token is required',
        detail: 'The token is not known.',
      });
    }
    if (pathname === '/api/v1/events/stream') return stream(platform, request, response);
    const name = pathname.replace('/api/v1/actions/', '');
    const answer = platform.answer(name, JSON.parse(await textOf(request)), names.get(token));
    json(response, answer.status, answer.body);
  }

  await start();
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    platform,
    tokens,
    names,
    start,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': status < 400 ? 'application/json' : 'application/problem+json',
  });
  response.end(JSON.stringify(body));
}

function stream(platform: FakePlatform, request: IncomingMessage, response: ServerResponse): void {
  if (!platform.permissions.includes('system.events.read')) {
    const detail = 'This requires the permission system.events.read.';
    return json(response, 403, {
      code: 'permission_denied',
      status: 403,
      title: 'The token lacks the permission',
      detail,
    });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': open\n\n');
  const last = request.headers['last-event-id'];
  const missed =
    last === undefined ? [] : platform.events.filter((event) => event.id > String(last)).reverse();
  const send = (event: { id: string; kind: string }) =>
    response.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  for (const event of missed) send(event);
  response.on('close', platform.listen(send));
}

function serveFile(
  response: ServerResponse,
  of: { readonly directory: string; readonly pathname: string },
): void {
  const type = types[extname(of.pathname)];
  try {
    const bytes = readFileSync(join(of.directory, type === undefined ? 'index.html' : of.pathname));
    // The names of assets are made from what they hold.
    const fresh = of.pathname.startsWith('/assets/') ? 'public, max-age=3600, immutable' : 'no-cache';
    response.writeHead(200, {
      'content-type': type ?? 'text/html; charset=utf-8',
      'cache-control': fresh,
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}
