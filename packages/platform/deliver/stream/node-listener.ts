// The listener for nodes: mutual TLS. Whoever shows no certificate may fetch the install script and the packages that it
// names, for a machine that has no agent yet, and is cut off at anything else; a certificate of one's own lets one enrol
// and nothing else; the platform's lets an instance renew and hold a stream.
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ProductError, problemOf } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/node-stream';
import {
  capabilityHeader,
  formatCapabilityHeader,
  servedCapabilities,
} from '@powernode/core/wire/capability';
import { closeCodes, nodeStreamPath } from '@powernode/core/wire/node-stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isDownload, sendDownload } from '../../install/send.ts';
import type { Authority, InstanceIdentity, ServerKey } from '../../trust/authority.ts';
import type { Clock } from '../../trust/clock.ts';
import { freshCertificate } from '../../trust/fresh-certificate.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { overBudget } from './certificate-uses.ts';
import { type Client, clientOf } from './client.ts';
import { PlainConnections } from './plain-connections.ts';
import { answerRequest, notCounted, type RequestParts, retryAfter, stranger } from './requests.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ListenerParts extends RequestParts {
  readonly authority: Authority;
  readonly clock: Clock;
  /** null: there is no such instance. */
  readonly nodeOf: (identity: InstanceIdentity) => Promise<NodeState | null>;
  /** How long the machine has to stay away still because it cost too much; 0: it may come. */
  readonly waitMs: (node: NodeState) => number;
  readonly opened: (stream: OpenedStream) => void;
  /** Of all its certificates. */
  readonly key?: ServerKey | undefined;
}

export interface OpenedStream {
  readonly node: NodeState;
  readonly socket: WebSocket;
  /** The connection under it. */
  readonly line: Duplex;
  /** Where it comes from. */
  readonly address: string;
  /** What it was opened with. */
  readonly certificate: StreamCertificate;
}

export type StreamCertificate = Pick<InstanceIdentity, 'serial' | 'expiresAt'>;

export interface NodeListener {
  readonly port: number;
  close(): Promise<void>;
}

export async function openNodeListener(parts: ListenerParts, address: Address): Promise<NodeListener> {
  const certificate = await freshCertificate({
    ...parts,
    hosts: ['localhost', address.host],
    terms: { ca: parts.authority.certificatePem, minVersion: 'TLSv1.3' },
  });
  const server = createServer({
    ...certificate.first,
    requestCert: true,
    // Who may do what is decided below: enrolment comes with a certificate that nobody issued.
    rejectUnauthorized: false,
    handshakeTimeout: limits.nodeHandshakeMs,
    headersTimeout: limits.nodeRequestMs,
    requestTimeout: limits.nodeRequestMs,
    keepAliveTimeout: limits.nodeRequestMs,
    maxHeaderSize: limits.nodeRequestBytesMax,
  });
  server.maxConnections = limits.nodeConnectionsMax;
  const streams = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.nodeUplinkFrameBytesMax,
    maxFragments: limits.nodeFragmentsMax,
  });
  const served = `${capabilityHeader}: ${formatCapabilityHeader(servedCapabilities)}`;
  streams.on('headers', (headers) => headers.push(served));
  attach(server, streams, parts);
  const stopRenewing = certificate.keepFresh(server);
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        stopRenewing();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function attach(server: Server, streams: WebSocketServer, given: ListenerParts): void {
  const plain = new PlainConnections(limits.nodePlainConnectionsMax);
  const parts = { ...given, plain };
  server.on('connection', (line: Socket) => plain.opened(line));
  server.on('secureConnection', (socket: TLSSocket) => {
    // Without this a reset connection would be an uncaught error once a stream took it over.
    socket.on('error', () => socket.destroy());
  });
  server.on('tlsClientError', (error, socket) => {
    parts.log.debug({ err: error }, 'a handshake on the node listener failed');
    socket.destroy();
  });
  server.on('request', (request, response) => {
    const client = clientOf(request.socket as TLSSocket, parts.authority);
    if (isDownload(parts.downloads, request)) void sendDownload(parts, { request, response });
    else if (client === null) request.socket.destroy();
    else void answerRequest(parts, { request, response, client });
  });
  server.on('upgrade', (request: IncomingMessage, line: Duplex, head: Buffer) => {
    const client = clientOf(request.socket as TLSSocket, parts.authority);
    if (client === null) line.destroy();
    else void upgrade(parts, streams, { request, line, head, client });
  });
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly line: Duplex;
  readonly head: Buffer;
  readonly client: Client;
}

async function upgrade(
  parts: ListenerParts & { readonly plain: PlainConnections },
  streams: WebSocketServer,
  one: Upgrade,
): Promise<void> {
  try {
    if (one.request.url !== nodeStreamPath) {
      throw new ProductError('not_found', 'Not found.');
    }
    const { identity, address } = one.client;
    if (identity === null) throw stranger();
    parts.uses.count(identity);
    const verdict = await parts.check(identity);
    if (verdict !== 'good' && verdict !== 'revoked') throw notCounted();
    const node = verdict === 'good' ? await parts.nodeOf(identity) : null;
    if (one.line.destroyed) return;
    const waitMs = node === null ? 0 : parts.waitMs(node);
    if (waitMs > 0) throw overBudget(waitMs);
    parts.plain.upgraded(one.request.socket);
    streams.handleUpgrade(one.request, one.line, one.head, (socket) => {
      // Refused by a close code of the stream, so that a machine that was terminated while offline does not retry for ever.
      if (node === null) refuseRevoked(socket);
      else parts.opened({ node, socket, line: one.line, address, certificate: identity });
    });
  } catch (error) {
    if (!(error instanceof ProductError)) parts.log.error({ err: error }, 'a stream could not be opened');
    parts.counters.refusals++;
    refuse(one.line, error);
  }
}

function refuseRevoked(socket: WebSocket): void {
  socket.on('error', () => socket.terminate());
  socket.close(closeCodes.revoked, 'this instance is no longer in the fleet');
}

function refuse(line: Duplex, error: unknown): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  line.end(
    [
      `HTTP/1.1 ${problem.status} Refused`,
      'Connection: close',
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries(retryAfter(problem)).map(([name, value]) => `${name}: ${value}`),
      '',
      body,
    ].join('\r\n'),
  );
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? `Another program listens on ${host} port ${port}. End it, or choose another port with --node-port.`
          : `Listening for instances on ${host} port ${port} failed: ${error.message}`;
      reject(new ProductError('invalid_configuration', reason, { cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
}
