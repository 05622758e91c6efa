// The listener for operators: plain HTTP on loopback, HTTPS everywhere else (contract §2), with a certificate of one's
// own or one from the platform's authority for operators.
import { readFile } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ProductError } from '@powernode/core/errors';
import {
  operatorConnectionsMax,
  operatorConnectionsPerSourceMax,
  operatorHeadersMs,
  operatorRequestMs,
} from '@powernode/core/limits/requests';
import { formatAddress, parseAddress } from '@powernode/core/net/address';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { createHttpApp } from '../surfaces/http/app.ts';
import type { Authority } from '../trust/authority.ts';
import { systemClock } from '../trust/clock.ts';
import { freshCertificate } from '../trust/fresh-certificate.ts';

export interface OperatorListenerParts {
  readonly settings: Settings;
  readonly authority: Authority;
  readonly app: Pick<ReturnType<typeof createHttpApp>, 'fetch'>;
  readonly log: Logger;
  /** Left out: those of the product. */
  readonly limits?: ConnectionLimits;
}

export interface ConnectionLimits {
  readonly connections: number;
  /** From one address that is not of this machine. */
  readonly connectionsPerSource: number;
}

const productLimits: ConnectionLimits = {
  connections: operatorConnectionsMax,
  connectionsPerSource: operatorConnectionsPerSourceMax,
};

export interface OperatorListener {
  /** Where operators reach it. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Operators get plain HTTP: the listener is on loopback and has no certificate of its own. */
export function isPlain(settings: Settings): boolean {
  return isLoopbackHost(settings.host) && settings.tls === null;
}

export async function listenForOperators(parts: OperatorListenerParts): Promise<OperatorListener> {
  const { settings, app } = parts;
  const answer = getRequestListener(app.fetch);
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const plain = isPlain(settings);
  const { server, stopRenewing } = plain
    ? { server: createHttpServer(arrival, listener), stopRenewing: () => undefined }
    : await secureServer(parts, listener);
  bound(server, parts.limits ?? productLimits);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, settings)));
    server.listen({ host: settings.host, port: settings.port }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${plain ? 'http' : 'https'}://${shownHost(settings)}:${port}`,
    close: () =>
      new Promise((resolve) => {
        stopRenewing();
        server.close(() => resolve());
        // Event streams never end by themselves.
        server.closeAllConnections();
      }),
  };
}

async function secureServer(
  { settings, authority, log }: OperatorListenerParts,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
) {
  if (settings.tls !== null) {
    const [cert, key] = [
      await readFile(settings.tls.certificate, 'utf8'),
      await readFile(settings.tls.key, 'utf8'),
    ];
    const server = createHttpsServer({ cert, key, ...tlsTerms, ...arrival }, listener);
    return { server, stopRenewing: () => undefined };
  }
  const certificate = await freshCertificate({
    authority,
    log,
    clock: systemClock,
    hosts: namesOf(settings),
    terms: tlsTerms,
  });
  const server = createHttpsServer({ ...certificate.first, ...arrival }, listener);
  return { server, stopRenewing: certificate.keepFresh(server) };
}

/** RFC 9325 §4.2: with TLS 1.2 only suites that authenticate what they encrypt, with forward secrecy. */
const tlsTerms = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_AES_128_GCM_SHA256',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
} as const;

/** How long a request may take to arrive, and how often that is looked at. */
const arrival = {
  headersTimeout: operatorHeadersMs,
  requestTimeout: operatorRequestMs,
  connectionsCheckingInterval: operatorHeadersMs / 10,
};

/** How many connections there may be, in all and from one address. */
function bound(server: HttpServer, limits: ConnectionLimits): void {
  server.maxConnections = limits.connections;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const source = socket.remoteAddress ?? '';
    // A proxy on this machine stands for everybody.
    if (isLoopbackAddress(source)) return;
    const count = (open.get(source) ?? 0) + 1;
    if (count > limits.connectionsPerSource) {
      socket.destroy();
      return;
    }
    open.set(source, count);
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1;
      if (left === 0) open.delete(source);
      else open.set(source, left);
    });
  });
}

function isLoopbackAddress(source: string): boolean {
  return source === '::1' || source.startsWith('127.') || source.startsWith('::ffff:127.');
}

/** The names and addresses that it is reached under, as in URLs. On all addresses it is reached under several. */
export function namesOf(settings: Settings): string[] {
  const own = isOnAllAddresses(settings.host)
    ? ['127.0.0.1', '[::1]', settings.reachableHost]
    : [inUrl(settings.host)];
  const linked = settings.consoleUrl === null ? [] : [new URL(settings.consoleUrl).hostname];
  return [...new Set([...own, 'localhost', ...linked, ...settings.allowedHosts])];
}

function shownHost(settings: Settings): string {
  if (!isOnAllAddresses(settings.host)) return inUrl(settings.host);
  return settings.allowedHosts[0] ?? settings.reachableHost;
}

function isOnAllAddresses(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function inUrl(host: string): string {
  const address = parseAddress(host);
  if (address === null) return host;
  const text = formatAddress(address);
  return address.family === 6 ? `[${text}]` : text;
}

/** Plain HTTP is for this machine only (contract §2). */
function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function cannotListen(error: NodeJS.ErrnoException, settings: Settings): ProductError {
  const where = `${settings.host} port ${settings.port}`;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `Another program listens on ${where}. End it, or choose another port with --port.`,
    EADDRNOTAVAIL: `No interface has the address ${settings.host}. Choose another with --host.`,
    EACCES: `This user may not listen on ${where}. Choose a port above 1023 with --port.`,
  };
  return new ProductError(
    'invalid_configuration',
    why[error.code ?? ''] ?? `Listening on ${where} failed: ${error.message}`,
    { cause: error },
  );
}
