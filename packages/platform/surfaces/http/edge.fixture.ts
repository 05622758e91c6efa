// Test support: the operators' listener as a process has it, spoken to by requests that no HTTP client would make.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { createBootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import { readSettings } from '../../config/settings.ts';
import {
  type ConnectionLimits,
  isPlain,
  listenForOperators,
  namesOf,
} from '../../start/operator-listener.ts';
import { startTestPlatform } from '../../testing/test-platform.ts';
import { mcpSurface } from '../mcp/surface.ts';
import { createHttpApp } from './app.ts';
import { createEventStreams } from './event-stream.ts';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** The administrator's when left out. */
  readonly token?: null;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Edge {
  readonly port: number;
  readonly token: string;
  send(sent: Sent): Promise<Answer>;
  get(path: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface EdgeParts {
  /** More flags of the platform. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly limits?: ConnectionLimits;
}

export async function startEdge({ flags: more = {}, limits }: EdgeParts = {}): Promise<Edge> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'pn-edge-'));
  const flags = { port: '0', 'data-dir': dataDir, 'allowed-hosts': 'allowed.example', ...more };
  for (const page of ['index.html', 'bootstrap.html']) {
    await writeFile(path.join(dataDir, page), '<!doctype html><title>page</title>');
  }
  const settings = readSettings({ flags, environment: {} });
  const log = pino({ level: 'silent' });
  const platform = await startTestPlatform();
  const { invoke, authenticate, services, store, bus, rights } = platform;
  const mcp = mcpSurface({
    invoke,
    authenticate,
    log,
    version: 'test',
    allowedHosts: namesOf(settings),
    questionKey: new Uint8Array(32),
    sourceOf: () => 'test',
    newId: services.newId,
  });
  const app = createHttpApp({
    invoke,
    authenticate,
    bootstrap: createBootstrap({ ...platform, log }),
    streams: createEventStreams({ store, bus }),
    rights,
    mcp,
    metrics: { observeRequest: () => {}, print: async () => ({ text: 'up 1\n', type: 'text/plain' }) },
    ready: async () => {},
    newId: services.newId,
    log,
    version: 'test',
    hosts: isPlain(settings) ? namesOf(settings) : null,
    isSecure: !isPlain(settings),
    nodeUrl: () => 'https://192.0.2.1:7443',
    downloads: null,
    consoleDirectory: dataDir,
  });
  const listener = await listenForOperators({
    settings,
    authority: platform.authority,
    app,
    log,
    ...(limits === undefined ? {} : { limits }),
  });
  const port = Number(new URL(listener.url).port);
  const send = (sent: Sent) => sendTo(port, sent, platform.adminToken);
  return {
    port,
    token: platform.adminToken,
    send,
    get: (target) => send({ method: 'GET', path: target }),
    async close() {
      await listener.close();
      await mcp.close();
      await platform.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

function sendTo(port: number, sent: Sent, token: string): Promise<Answer> {
  const { method, body } = sent;
  const headers = {
    accept: 'application/json, text/event-stream',
    ...(sent.token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...sent.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, method, path: sent.path, headers, agent: false },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends bytes and nothing more, and waits until the other side ends the connection; what it said. */
export function rawRequest(port: number, sent: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(sent));
    socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(said));
  });
}

export function problemOf(answer: Answer): Record<string, unknown> {
  expect(answer.headers['content-type'], answer.text).toBe('application/problem+json');
  const problem = JSON.parse(answer.text) as Record<string, unknown>;
  expect(problem['status']).toBe(answer.status);
  return problem;
}
