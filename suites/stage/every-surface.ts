// A platform of its own, as a program, and every way to call its actions: the generic route, resource routes, MCP with the
// official client of either era, and the command line. Nodes are simulated.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { actionKeyOf, definitionOf } from '@powernode/core/actions/catalogue';
import { expect, vi } from 'vitest';
import type { SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { joinSimulated } from './join-simulated.ts';

const root = path.join(import.meta.dirname, '..', '..');

export type Answer = Record<string, Record<string, unknown>>;
export type Call = (action: string, input: Record<string, unknown>) => Promise<Answer>;

export const surfaceNames = [
  'the generic route',
  'resource routes',
  'MCP of 2026-07-28',
  'MCP of 2025',
  'the command line',
] as const;
export type SurfaceName = (typeof surfaceNames)[number];

export class SurfacedPlatform {
  #directory = '';
  #process: ChildProcess | null = null;
  #url = '';
  #token = '';
  #nodePort = 0;
  readonly #closers: (() => Promise<void> | void)[] = [];

  async start(): Promise<void> {
    this.#directory = await mkdtemp(path.join(tmpdir(), 'pn-surfaces-'));
    const program = path.join(root, 'packages/platform/main.ts');
    const argv = [program, 'up', '--port', '0', '--node-port', '0', '--data-dir', this.#directory];
    const platform = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = platform;
    let output = '';
    let log = '';
    platform.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    platform.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    await vi.waitUntil(() => output.includes('admin-token') || platform.exitCode !== null, {
      timeout: 120_000,
    });
    this.#url = /http:\/\/\S+/.exec(output)?.[0] ?? '';
    expect(this.#url, log).not.toBe('');
    this.#nodePort = Number(/"node_port":(\d+)/.exec(log)?.[1]);
    this.#token = (await readFile(path.join(this.#directory, 'admin-token'), 'utf8')).trim();
  }

  async end(): Promise<void> {
    for (const close of this.#closers) await close();
    const platform = this.#process;
    platform?.kill('SIGINT');
    if (platform !== null && platform.exitCode === null) await once(platform, 'exit');
    await rm(this.#directory, { recursive: true, force: true });
  }

  async open(name: SurfaceName): Promise<Call> {
    switch (name) {
      case 'the generic route':
        return this.byGenericRoute;
      case 'resource routes':
        return this.#byResourceRoute;
      case 'MCP of 2026-07-28':
        return this.#byModernMcp();
      case 'MCP of 2025':
        return this.#byLegacyMcp();
      case 'the command line':
        return this.#byCommandLine;
    }
  }

  readonly byGenericRoute: Call = async (action, input) =>
    answerOf(
      await fetch(`${this.#url}/api/v1/actions/${action}`, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(input),
      }),
    );

  /** What a call answers, or what it does once a person has approved it elsewhere: over MCP no secret is made. */
  async decided(call: Call, action: string, input: Record<string, unknown>): Promise<Answer> {
    const answer = await call(action, input);
    if ((answer['pending'] as unknown) !== true) return answer;
    expect(JSON.stringify(answer)).not.toMatch(/pn[tjb]_/);
    const approvalId = answer['deferred_operation']?.['id'];
    await this.byGenericRoute('system_decide_approval', { approval_id: approvalId, decision: 'approve' });
    const { approval: seen } = await call('system_get_approval', { approval_id: approvalId });
    expect(seen).toMatchObject({ status: 'approved' });
    expect(JSON.stringify(seen)).not.toMatch(/pn[tjb]_/);
    // Whoever asked fetches it, once, by another way.
    const { approval } = await this.byGenericRoute('system_get_approval', { approval_id: approvalId });
    return approval?.['result'] as Answer;
  }

  /** A machine that joined and said hello, as its agent does. */
  async joinMachine(hostname: string): Promise<{ readonly id: string; readonly node: SimulatedNode }> {
    const { join_token: made } = await this.byGenericRoute('system_create_join_token', {});
    return this.joinWith(String(made?.['token']), hostname);
  }

  async joinWith(
    token: string,
    hostname: string,
  ): Promise<{ readonly id: string; readonly node: SimulatedNode }> {
    const nodeUrl = `https://127.0.0.1:${this.#nodePort}`;
    const { node, instanceId: id } = await joinSimulated({ nodeUrl, token, hostname, unusedKeys: 4 });
    this.#closers.push(() => node.close());
    const asked = { instance_id: id };
    await vi.waitUntil(
      async () => {
        const { instance } = await this.byGenericRoute('system_get_instance', asked);
        return instance?.['unused_keys'] === 4;
      },
      { timeout: 20_000 },
    );
    return { id, node };
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
  }

  readonly #byResourceRoute: Call = async (action, input) => {
    const key = actionKeyOf(action);
    if (key === undefined) throw new Error(action);
    const { route } = definitionOf(key);
    const rest = { ...input };
    const where = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = String(rest[name]);
      delete rest[name];
      return value;
    });
    const query =
      route.method === 'GET' ? `?${new URLSearchParams(rest as Record<string, string>).toString()}` : '';
    const body = route.method === 'GET' ? {} : { body: JSON.stringify(rest) };
    return answerOf(
      await fetch(`${this.#url}/api/v1/system${where}${query}`, {
        method: route.method,
        headers: this.#headers,
        ...body,
      }),
    );
  };

  async #byModernMcp(): Promise<Call> {
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const requestInit = { headers: this.#headers };
    await client.connect(new ModernTransport(new URL(`${this.#url}/mcp`), { requestInit }));
    this.#closers.push(() => client.close());
    return async (name, input) => toolAnswer(await client.callTool({ name, arguments: input }));
  }

  async #byLegacyMcp(): Promise<Call> {
    const client = new LegacyClient({ name: 'test', version: '1' });
    const requestInit = { headers: this.#headers };
    await client.connect(new LegacyTransport(new URL(`${this.#url}/mcp`), { requestInit }));
    this.#closers.push(() => client.close());
    return async (name, input) => toolAnswer(await client.callTool({ name, arguments: input }));
  }

  readonly #byCommandLine: Call = (action, input) => {
    const key = actionKeyOf(action);
    if (key === undefined) throw new Error(action);
    const { cli } = definitionOf(key);
    const argv = [cli.noun, cli.verb, ...Object.entries(input).flatMap(flagOf), '--json'];
    const env = { ...process.env, POWERNODE_URL: this.#url, POWERNODE_TOKEN: this.#token };
    return new Promise((resolve, reject) => {
      execFile(path.join(root, 'powernode'), argv, { env }, (error, stdout, stderr) =>
        error === null ? resolve(JSON.parse(stdout) as Answer) : reject(new Error(stderr)),
      );
    });
  };
}

function flagOf([name, value]: readonly [string, unknown]): string[] {
  const word = name.replaceAll('_', '-');
  if (typeof value === 'boolean') return [value ? `--${word}` : `--no-${word}`];
  if (typeof value === 'string') return [`--${word}`, value];
  const isWords = Array.isArray(value) && value.every((one) => typeof one === 'string');
  return [`--${word}`, isWords ? value.join(',') : JSON.stringify(value)];
}

async function answerOf(response: Response): Promise<Answer> {
  const body = (await response.json()) as Answer;
  if (!response.ok) throw new Error(JSON.stringify(body));
  return body;
}

function toolAnswer(result: object): Answer {
  const { structuredContent, isError, content } = result as {
    structuredContent?: Answer;
    isError?: boolean;
    content?: unknown;
  };
  if (isError === true || structuredContent === undefined) throw new Error(JSON.stringify(content));
  return structuredContent;
}
