// Serves the built console: its files by name, and its page for every other address that a browser asks for.
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { Hono } from 'hono';
import type { HttpContext, HttpEnv } from './environment.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};

export function consoleSurface(directory: string): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('*', async (context) => {
    const path = decodeURIComponent(new URL(context.req.url).pathname);
    // Well-known addresses (RFC 8615) are for programs: a page would be taken for an answer.
    if (path.startsWith('/.well-known/')) return context.notFound();
    const type = types[extname(path)];
    if (type !== undefined && path !== '/index.html') return file(context, { directory, path, type });
    return page(context, directory);
  });
  return app;
}

async function file(
  context: HttpContext,
  of: { readonly directory: string; readonly path: string; readonly type: string },
): Promise<Response> {
  const inside = normalize(join('/', of.path));
  const bytes = await read(join(of.directory, inside));
  if (bytes === null) return context.notFound();
  // Names of assets carry a hash of their content, so they never change.
  const cache = inside.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  return context.body(new Uint8Array(bytes), 200, { 'content-type': of.type, 'cache-control': cache });
}

async function page(context: HttpContext, directory: string): Promise<Response> {
  const bytes = await read(join(directory, 'index.html'));
  if (bytes === null) {
    return context.text('The console is not built. Start the platform with "npm run up".\n', 503);
  }
  return context.body(new Uint8Array(bytes), 200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
  });
}

async function read(path: string): Promise<Buffer | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (
      error.code === 'ENOENT' ||
      error.code === 'EISDIR' ||
      error.code === 'ENOTDIR' ||
      error.code === 'ENAMETOOLONG'
    )
      return null;
    throw error;
  });
}
