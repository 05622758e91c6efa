// Answers a request for the install script or a package on the listener for nodes, certificate or not.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ProductError, problemOf } from '@powernode/core/errors';
import { packageIdleMs } from '@powernode/core/limits/packages';
import type { Logger } from 'pino';
import type { Downloads } from './packages.ts';

export interface SendParts {
  readonly downloads: Downloads | null;
  readonly log: Logger;
}

/** Anything else on that listener needs a certificate. */
export function isDownload(downloads: Downloads | null, request: IncomingMessage): boolean {
  return request.method === 'GET' && downloads?.covers(request.url ?? '') === true;
}

export async function sendDownload(
  { downloads, log }: SendParts,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const { request, response } = exchange;
  // A connection each: those who come without a certificate keep none.
  response.setHeader('connection', 'close');
  response.setHeader('cache-control', 'no-store');
  try {
    const found = await downloads?.find(request.url ?? '');
    if (found === undefined) throw new ProductError('not_found', 'Not found.');
    response.writeHead(200, { 'content-type': found.type, 'content-length': found.bytes });
    const content = found.open(() => response.destroy());
    if (typeof content === 'string') return void response.end(content);
    // The last of it waits in the connection.
    response.setTimeout(packageIdleMs, () => response.destroy());
    // One that breaks off is the other side's business.
    await pipeline(content, response).catch((error: unknown) =>
      log.debug({ err: error }, 'a download broke off'),
    );
  } catch (error) {
    if (!(error instanceof ProductError)) log.error({ err: error, url: request.url }, 'a download failed');
    const problem = problemOf(error);
    if (response.headersSent) return void response.destroy();
    response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
    response.end(`${JSON.stringify(problem)}\n`);
  }
}
