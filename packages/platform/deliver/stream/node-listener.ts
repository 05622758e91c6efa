// The listener for nodes: mutual TLS only. Whoever shows no certificate gets no further than the handshake; a
// certificate of one's own lets one enrol and nothing else; the platform's lets an instance renew and hold a stream.
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ProductError, problemOf } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits';
import { closeCodes, nodeStreamPath } from '@powernode/core/wire/node-stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authority, InstanceIdentity } from '../../trust/authority.ts';
import type { Clock } from '../../trust/clock.ts';
import { freshCertificate } from '../../trust/fresh-certificate.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { type Client, clientOf } from './client.ts';
import { answerRequest, notCounted, type RequestParts, stranger } from './requests.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ListenerParts extends RequestParts {
  readonly authority: Authority;
  readonly clock: Clock;
  /** null: there is no such instance. */
  readonly nodeOf: (identity: InstanceIdentity) => Promise<NodeState | null>;
  readonly opened: (stream: OpenedStream) => void;
}

export interface OpenedStream {
  readonly node: NodeState;
  readonly socket: WebSocket;
  /** Where it comes from. */
  readonly address: string;
}

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
  });
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

function attach(server: Server, streams: WebSocketServer, parts: ListenerParts): void {
  server.on('secureConnection', (socket: TLSSocket) => {
    // Without this a reset connection would be an uncaught error once a stream took it over.
    socket.on('error', () => socket.destroy());
    if (socket.getPeerX509Certificate() === undefined) socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    parts.log.debug({ err: error }, 'a handshake on the node listener failed');
    socket.destroy();
  });
  server.on('request', (request, response) => {
    const client = clientOf(request.socket as TLSSocket, parts.authority);
    if (client === null) request.socket.destroy();
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

async function upgrade(parts: ListenerParts, streams: WebSocketServer, one: Upgrade): Promise<void> {
  try {
    if (one.request.url !== nodeStreamPath) {
      throw new ProductError('not_found', 'There is nothing here.');
    }
    const { identity, address } = one.client;
    if (identity === null) throw stranger();
    const verdict = await parts.check(identity);
    if (verdict !== 'good' && verdict !== 'revoked') throw notCounted();
    const node = verdict === 'good' ? await parts.nodeOf(identity) : null;
    if (one.line.destroyed) return;
    streams.handleUpgrade(one.request, one.line, one.head, (socket) => {
      // Told in the stream's own words, so that a machine that was terminated while away does not ask for ever.
      if (node === null) refuseRevoked(socket);
      else parts.opened({ node, socket, address });
    });
  } catch (error) {
    if (!(error instanceof ProductError)) parts.log.error({ err: error }, 'a stream could not be opened');
    parts.counters.refusals++;
    refuse(one.line, error);
  }
}

function refuseRevoked(socket: WebSocket): void {
  socket.on('error', () => socket.terminate());
  socket.close(closeCodes.revoked, 'this machine does not belong to the fleet any more');
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
          : `Listening for nodes on ${host} port ${port} failed: ${error.message}`;
      reject(new ProductError('invalid_configuration', reason, { cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
}
