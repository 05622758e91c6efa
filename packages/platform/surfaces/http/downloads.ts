// The install script and the packages on the operators' surface. Nobody is signed in here.
import { Readable } from 'node:stream';
import { installScriptPath, packagesPath } from '@powernode/core/wire/packages';
import { Hono } from 'hono';
import type { Downloads } from '../../install/packages.ts';
import type { HttpContext, HttpEnv } from './environment.ts';

export function downloadSurface(downloads: Downloads): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(installScriptPath, (context) => download(context, downloads));
  app.get(`${packagesPath}:name`, (context) => download(context, downloads));
  return app;
}

async function download(context: HttpContext, downloads: Downloads): Promise<Response> {
  const found = await downloads.find(context.req.path);
  const headers = {
    'content-type': found.type,
    'content-length': String(found.bytes),
    'cache-control': 'no-store',
  };
  // HEAD comes by the same route, and nobody reads what it would open.
  if (context.req.method === 'HEAD') return context.body(null, 200, headers);
  const outgoing = context.env?.outgoing;
  const content = found.open(() => outgoing?.destroy());
  const body = typeof content === 'string' ? content : (Readable.toWeb(content) as ReadableStream);
  return context.body(body, 200, headers);
}
