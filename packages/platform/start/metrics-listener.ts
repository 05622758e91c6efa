// A listener of its own for Prometheus, on loopback and without a token: for a scraper on this machine. It answers
// nothing but the metrics, so that no proxy in front of the operators' listener makes them public.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProductError } from '@powernode/core/errors';
import { operatorHeadersMs } from '@powernode/core/limits/requests';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.ts';
import { isLoopbackName } from '../surfaces/http/hosts.ts';

const host = '127.0.0.1';

export interface MetricsListener {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export async function listenForMetrics(parts: {
  readonly port: number;
  readonly metrics: Pick<Metrics, 'print'>;
  readonly log: Logger;
}): Promise<MetricsListener> {
  const { metrics, log } = parts;
  const server = createServer((request, response) => {
    const refuse = (status: number) => response.writeHead(status).end();
    if (!isLoopbackName(request.headers.host)) return refuse(403);
    if (request.url !== '/metrics') return refuse(404);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
    metrics.print().then(
      ({ text, type }) => response.writeHead(200, { 'content-type': type }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'the metrics could not be printed');
        refuse(500);
      },
    );
    return undefined;
  });
  server.headersTimeout = operatorHeadersMs;
  server.requestTimeout = operatorHeadersMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, parts.port)));
    server.listen({ host, port: parts.port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function cannotListen(error: NodeJS.ErrnoException, port: number): ProductError {
  const why =
    error.code === 'EADDRINUSE'
      ? `Another program listens on ${host} port ${port}. Choose another with --metrics-port.`
      : `Listening for metrics on ${host} port ${port} failed: ${error.message}`;
  return new ProductError('invalid_configuration', why, { cause: error });
}
