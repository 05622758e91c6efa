// The platform's MCP surface with the fixtures of the conformance suite, on loopback, over a fake platform.
// The suite cannot send a token, so one is put on every request here; the surface checks it as always.
import { pathToFileURL } from 'node:url';
import { serve } from '@hono/node-server';
import type { McpServer } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { FakePlatform, testToken } from '../fake-platform.ts';
import type { QuestionCodec } from '../question-codec.ts';
import { registerContentFixtures } from './content-fixtures.ts';
import { registerDocumentFixtures } from './document-fixtures.ts';
import { registerQuestionFixtures } from './question-fixtures.ts';

function extend(server: McpServer, codec: QuestionCodec): void {
  server.server.registerCapabilities({
    logging: {},
    completions: {},
    prompts: { listChanged: false },
    resources: { listChanged: false, subscribe: true },
  });
  registerContentFixtures(server);
  registerDocumentFixtures(server);
  registerQuestionFixtures(server, codec);
}

/** Starts on a free port of loopback; answers the address of /mcp and what ends it. */
export async function startConformanceServer(): Promise<{ url: string; close(): Promise<void> }> {
  const surface = new FakePlatform().surface({ extend });
  const app = new Hono();
  app.all('*', (context) => {
    const request = new Request(context.req.raw);
    request.headers.set('authorization', `Bearer ${testToken}`);
    return surface.fetch(request);
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (info) => resolve(info.port));
  return {
    url: `http://127.0.0.1:${await promise}/mcp`,
    close: async () => {
      await surface.close();
      await new Promise((ended) => server.close(ended));
    },
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log((await startConformanceServer()).url);
}
