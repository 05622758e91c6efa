// One platform, one flow, every surface: from a network to an attached peer, by the generic route, by resource routes,
// by MCP with the official client of either era, and by the command line. All of them see the same objects.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
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
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { enrolSimulated } from '../../packages/platform/deliver/simulated-enrolment.ts';
import { SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { makeMachine } from '../../packages/platform/trust/machine.fixture.ts';

const packages = path.join(import.meta.dirname, '..', '..', 'packages');

let directory = '';
let platform: ChildProcess;
let url = '';
let token = '';
const closers: (() => Promise<void> | void)[] = [];

type Answer = Record<string, Record<string, unknown>>;
type Call = (action: string, input: Record<string, unknown>) => Promise<Answer>;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'pn-surfaces-'));
  platform = spawn(
    process.execPath,
    [
      path.join(packages, 'platform/main.ts'),
      'up',
      '--port',
      '0',
      '--node-port',
      '0',
      '--data-dir',
      directory,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let log = '';
  platform.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  platform.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await vi.waitUntil(() => output.includes('admin-token') || platform.exitCode !== null, { timeout: 50_000 });
  url = /http:\/\/\S+/.exec(output)?.[0] ?? '';
  expect(url, log).not.toBe('');
  nodePort = Number(/"node_port":(\d+)/.exec(log)?.[1]);
  token = (await readFile(path.join(directory, 'admin-token'), 'utf8')).trim();
});
let nodePort = 0;

afterAll(async () => {
  for (const close of closers) await close();
  platform.kill('SIGINT');
  if (platform.exitCode === null) await once(platform, 'exit');
  await rm(directory, { recursive: true, force: true });
});

const headers = () => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });

async function answerOf(response: Response): Promise<Answer> {
  const body = (await response.json()) as Answer;
  if (!response.ok) throw new Error(JSON.stringify(body));
  return body;
}

const byGenericRoute: Call = async (action, input) =>
  answerOf(
    await fetch(`${url}/api/v1/actions/${action}`, {
      method: 'POST',
      headers: headers(),
      body: JSON.stringify(input),
    }),
  );

const byResourceRoute: Call = async (action, input) => {
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
    await fetch(`${url}/api/v1/system${where}${query}`, {
      method: route.method,
      headers: headers(),
      ...body,
    }),
  );
};

async function byModernMcp(): Promise<Call> {
  const client = new ModernClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(new ModernTransport(new URL(`${url}/mcp`), { requestInit: { headers: headers() } }));
  closers.push(() => client.close());
  return async (name, input) => toolAnswer(await client.callTool({ name, arguments: input }));
}

async function byLegacyMcp(): Promise<Call> {
  const client = new LegacyClient({ name: 'test', version: '1' });
  const transport = new LegacyTransport(new URL(`${url}/mcp`), { requestInit: { headers: headers() } });
  await client.connect(transport);
  closers.push(() => client.close());
  return async (name, input) => toolAnswer(await client.callTool({ name, arguments: input }));
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

const byCommandLine: Call = (action, input) => {
  const key = actionKeyOf(action);
  if (key === undefined) throw new Error(action);
  const { cli } = definitionOf(key);
  const flags = Object.entries(input).flatMap(([name, value]) => {
    const flag = `--${name.replaceAll('_', '-')}`;
    return value === true ? [flag] : [flag, String(value)];
  });
  const argv = [path.join(packages, 'cli/main.ts'), cli.noun, cli.verb, ...flags, '--json'];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      argv,
      { env: { ...process.env, POWERNODE_URL: url, POWERNODE_TOKEN: token } },
      (error, stdout, stderr) =>
        error === null ? resolve(JSON.parse(stdout) as Answer) : reject(new Error(stderr)),
    );
  });
};

const surfaces: readonly (readonly [string, () => Promise<Call>])[] = [
  ['the generic route', async () => byGenericRoute],
  ['resource routes', async () => byResourceRoute],
  ['MCP of 2026-07-28', byModernMcp],
  ['MCP of 2025', byLegacyMcp],
  ['the command line', async () => byCommandLine],
];

/** What a call answers, or what it does once a person has approved it elsewhere: over MCP no secret is made. */
async function decided(call: Call, action: string, input: Record<string, unknown>): Promise<Answer> {
  const answer = await call(action, input);
  if ((answer['pending'] as unknown) !== true) return answer;
  expect(JSON.stringify(answer)).not.toMatch(/pn[tjb]_/);
  const approvalId = answer['deferred_operation']?.['id'];
  await byGenericRoute('system_decide_approval', { approval_id: approvalId, decision: 'approve' });
  const { approval: seen } = await call('system_get_approval', { approval_id: approvalId });
  expect(seen).toMatchObject({ status: 'approved' });
  expect(JSON.stringify(seen)).not.toMatch(/pn[tjb]_/);
  // Whoever asked fetches it, once, by another way.
  const { approval } = await byGenericRoute('system_get_approval', { approval_id: approvalId });
  return approval?.['result'] as Answer;
}

/** A machine that joined and said hello, as its agent does. */
async function joinMachine(hostname: string): Promise<string> {
  const { join_token: made } = await byGenericRoute('system_create_join_token', {});
  return joinWith(String(made?.['token']), hostname);
}

async function joinWith(token: string, hostname: string): Promise<string> {
  const machine = await makeMachine();
  const nodeUrl = `https://127.0.0.1:${nodePort}`;
  const enrolled = await enrolSimulated({
    ...machine,
    nodeUrl,
    token,
    fingerprint: token.split('_').at(-1) ?? '',
    hostname,
  });
  const node = new SimulatedNode({
    nodeUrl,
    credentials: {
      keyPem: machine.keyPem,
      certificatePem: enrolled.certificate_pem,
      authorityPem: enrolled.authority_pem,
    },
    unusedKeys: Array.from({ length: 4 }, () => randomBytes(32).toString('base64')),
  });
  await node.connect();
  closers.push(() => node.close());
  await vi.waitUntil(
    async () => {
      const { instance } = await byGenericRoute('system_get_instance', { instance_id: enrolled.instance_id });
      return instance?.['unused_keys'] === 4;
    },
    { timeout: 20_000 },
  );
  return enrolled.instance_id;
}

describe.each(surfaces)('%s', (name, open) => {
  test('makes a network, attaches a peer, and reads both as every other surface does', async () => {
    const call = await open();
    const machine = await joinMachine(`machine of ${name}`.replaceAll(/[^a-z0-9]+/gi, '-'));
    const { network } = await call('system_sdwan_create_network', { name: `network of ${name}`, mtu: 1400 });
    const { peer } = await call('system_sdwan_attach_peer', {
      network_id: network?.['id'],
      node_instance_id: machine,
      publicly_reachable: true,
      endpoint_address: '203.0.113.5:51999',
    });
    expect(network).toMatchObject({ name: `network of ${name}`, mtu: 1400, status: 'active' });
    expect(peer).toMatchObject({ network_id: network?.['id'], role: 'hub', endpoint: '203.0.113.5:51999' });
    const settled = await byGenericRoute('system_sdwan_get_peer', { peer_id: peer?.['id'] });
    for (const [, openOther] of surfaces) {
      const other = await openOther();
      const read = await other('system_sdwan_get_network', { network_id: network?.['id'] });
      expect(read['network']).toEqual({ ...network, peer_count: 1, hub_count: 1 });
      const sameKeys = (await other('system_sdwan_get_peer', { peer_id: peer?.['id'] }))['peer'] ?? {};
      expect(Object.keys(sameKeys)).toEqual(Object.keys(settled['peer'] ?? {}));
      expect(sameKeys).toMatchObject({ id: peer?.['id'], host_address: peer?.['host_address'] });
      const listed = await other('system_sdwan_list_peers', { network_id: network?.['id'], limit: 5 });
      expect(listed).toMatchObject({ count: 1, has_more: false, next_cursor: null });
    }
  });

  test('has a machine before it exists, which joins as itself and as nobody else', async () => {
    const call = await open();
    const offered = async (list: string, noun: string) => {
      const answer = await call(list, {});
      const [first] = answer[noun] as unknown as { id: string; provider: string }[];
      expect(first?.provider).toBe('own');
      return first?.id;
    };
    const wanted = {
      template_id: await offered('system_list_templates', 'templates'),
      provider_region_id: await offered('system_list_provider_regions', 'provider_regions'),
      provider_instance_type_id: await offered('system_list_instance_types', 'instance_types'),
      hostname: `ordered by ${name}`.replaceAll(/[^a-z0-9]+/gi, '-'),
      tags: ['rack-7'],
    };
    const { instance, join_token: made } = await decided(call, 'system_create_instance', wanted);
    expect(instance).toMatchObject({ hostname: wanted.hostname, status: 'pending', provider: 'own' });
    expect(made).toMatchObject({ instance_id: instance?.['id'], status: 'unused' });
    const token = String(made?.['token']);
    expect(await joinWith(token, 'what-it-calls-itself')).toBe(instance?.['id']);
    const joined = await byGenericRoute('system_get_instance', { instance_id: instance?.['id'] });
    expect(joined['instance']).toMatchObject({
      hostname: wanted.hostname,
      status: 'running',
      provider: 'own',
      tags: ['rack-7'],
    });
    await expect(joinWith(token, 'another-one')).rejects.toThrow();
  });

  test('a destructive action waits for approval, and can be looked at', async () => {
    const call = await open();
    const { network } = await call('system_sdwan_create_network', { name: `doomed by ${name}` });
    const answer = await call('system_sdwan_delete_network', { network_id: network?.['id'] });
    expect(answer).toMatchObject({
      pending: true,
      deferred_operation: { action: 'system_sdwan_delete_network' },
    });
    const { approval } = await call('system_get_approval', {
      approval_id: answer['deferred_operation']?.['id'],
    });
    expect(approval).toMatchObject({ status: 'pending', input: { network_id: network?.['id'] } });
  });
});
