// The MCP surface as the official clients of both eras see it.
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { toolsOf } from '@powernode/core/actions/tools';
import { toolsDefaultBytesMax, toolsDefaultMax } from '@powernode/core/limits/clients';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FakePlatform, networkId, testToken } from './fake-platform.ts';

// Clients and servers of the SDK take seconds to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const url = new URL('http://127.0.0.1/mcp');

function inProcess(platform: FakePlatform, headers: Record<string, string> = {}) {
  const app = platform.surface();
  onTestFinished(() => app.close());
  return async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init);
    for (const [name, value] of Object.entries({ host: '127.0.0.1', ...headers }))
      request.headers.set(name, value);
    return app.fetch(request);
  };
}

const requestInit = { headers: { authorization: `Bearer ${testToken}` } };

interface ModernOptions {
  readonly address?: URL;
  readonly answer?: { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, boolean> };
  readonly asked?: string[];
}

async function modernClient(platform: FakePlatform, options: ModernOptions = {}) {
  const { answer, asked = [], address = url } = options;
  const client = new ModernClient(
    { name: 'test', version: '1' },
    {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      capabilities: answer === undefined ? {} : { elicitation: { form: {} } },
    },
  );
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', (request) => {
      asked.push(request.params.message);
      return answer;
    });
  }
  await client.connect(new ModernTransport(address, { fetch: inProcess(platform), requestInit }));
  onTestFinished(() => client.close());
  return client;
}

async function legacyClient(platform: FakePlatform, capabilities = {}) {
  const client = new LegacyClient({ name: 'test', version: '1' }, { capabilities });
  const transport = new LegacyTransport(url, { fetch: inProcess(platform), requestInit });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

async function post(platform: FakePlatform, headers: Record<string, string>, address: URL = url) {
  const send = inProcess(platform, headers);
  return send(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
}

test('both eras see the same tools, in one order, with all four hints, and can call the others', async () => {
  const platform = new FakePlatform();
  const modern = (await (await modernClient(platform)).listTools()).tools;
  const legacy = (await (await legacyClient(platform)).listTools()).tools;
  const shown = toolsOf({ toolsets: ['default'], strict: false, readOnly: false });
  expect(modern.map((tool) => tool.name)).toEqual(shown.map(({ name }) => name));
  await (await modernClient(platform)).callTool({ name: 'system_list_operators', arguments: {} });
  expect(platform.invocations.map(({ action }) => action)).toEqual(['listOperators']);
  expect(legacy.map((tool) => tool.name)).toEqual(modern.map((tool) => tool.name));
  expect(modern.length).toBeLessThanOrEqual(toolsDefaultMax);
  for (const tool of modern) {
    expect(tool.annotations).toMatchObject({
      readOnlyHint: expect.any(Boolean),
      destructiveHint: expect.any(Boolean),
      idempotentHint: expect.any(Boolean),
      openWorldHint: expect.any(Boolean),
    });
    expect(tool.title, tool.name).toBeTruthy();
    expect(tool.description, tool.name).toBeTruthy();
    expect(tool.inputSchema.type).toBe('object');
    expect(tool.outputSchema, tool.name).toBeDefined();
  }
});

test('the whole answer to tools/list is short enough to be read before a task [9.16]', async () => {
  const authorization = `Bearer ${testToken}`;
  const response = await post(new FakePlatform(), { authorization });
  const text = await response.text();
  expect(text).toContain('system_sdwan_create_access_grant');
  expect(Buffer.byteLength(text)).toBeLessThan(toolsDefaultBytesMax);
});

test('the server says that its name is platform', async () => {
  const platform = new FakePlatform();
  expect((await modernClient(platform)).getServerVersion()?.name).toBe('platform');
  expect((await legacyClient(platform)).getServerVersion()?.name).toBe('platform');
});

test('toolsets and read_only narrow the tools, and what is left out cannot be called', async () => {
  const platform = new FakePlatform();
  const client = await modernClient(platform, { address: new URL('?toolsets=sdwan&read_only=true', url) });
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  const reads = actionKeys.map(definitionOf).filter(({ area, hints }) => area === 'sdwan' && hints.readOnly);
  expect(names).toEqual(reads.map(({ name }) => name));
  expect(names.slice(0, 2)).toEqual(['system_sdwan_list_networks', 'system_sdwan_get_network']);
  const call = client.callTool({ name: 'system_sdwan_create_network', arguments: { name: 'a' } });
  await expect(call).rejects.toThrow('not found');
  expect(platform.invocations).toEqual([]);
});

test('an unknown toolset is refused with the names that there are', async () => {
  const headers = { authorization: `Bearer ${testToken}` };
  const response = await post(new FakePlatform(), headers, new URL('?toolsets=nets', url));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: 'malformed_request',
    detail: expect.stringContaining('default, sdwan, services'),
  });
});

test('an answer is structured and is also text', async () => {
  const platform = new FakePlatform();
  for (const client of [await modernClient(platform), await legacyClient(platform)]) {
    await client.listTools();
    const result = await client.callTool({
      name: 'system_sdwan_get_network',
      arguments: { network_id: networkId },
    });
    expect(result.structuredContent).toEqual({
      untrusted_fields: ['network.name'],
      network: platform.networks.get(networkId),
    });
    const [content] = result.content as { type: string; text: string }[];
    expect(JSON.parse(content?.text ?? '')).toEqual(result.structuredContent);
    expect(result.isError).toBeFalsy();
  }
});

test('expected failures are results with the problem document, which clients accept', async () => {
  const platform = new FakePlatform();
  for (const client of [await modernClient(platform), await legacyClient(platform)]) {
    await client.listTools();
    const missing = await client.callTool({
      name: 'system_sdwan_get_network',
      arguments: { network_id: '01990000-0000-7000-8000-00000000ffff' },
    });
    expect(missing.isError).toBe(true);
    expect(missing.structuredContent).toMatchObject({ code: 'not_found', status: 404 });
    const invalid = await client.callTool({ name: 'system_sdwan_create_network', arguments: { nmae: 'x' } });
    expect(invalid.isError).toBe(true);
    expect(invalid.structuredContent).toMatchObject({
      code: 'validation_failed',
      errors: expect.arrayContaining([expect.objectContaining({ code: 'unknown_parameter' })]),
    });
  }
});

test('an unexpected failure shows nothing of the inside', async () => {
  const platform = new FakePlatform();
  const client = await modernClient(platform);
  const result = await client.callTool({ name: 'system_list_instances', arguments: {} });
  expect(result).toMatchObject({ isError: true, structuredContent: { code: 'internal' } });
  expect(JSON.stringify(result)).not.toContain('secret words');
  expect(platform.logged).toEqual(['mcp: a request failed']);
});

test('a request without a valid token is answered 401 with a challenge, before anything else is read', async () => {
  const wrong: Record<string, string>[] = [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: 'Basic eA==' },
  ];
  for (const headers of wrong) {
    const response = await post(new FakePlatform(), headers, new URL('?toolsets=x', url));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="powernode"');
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  }
});

test('foreign hosts and origins are refused, configured ones are served', async () => {
  const authorization = `Bearer ${testToken}`;
  const statusOf = async (headers: Record<string, string>) =>
    (await post(new FakePlatform(), { authorization, ...headers })).status;
  expect(await statusOf({ host: 'evil.example' })).toBe(403);
  expect(await statusOf({ origin: 'http://evil.example' })).toBe(403);
  expect(await statusOf({ origin: 'null' })).toBe(403);
  expect(await statusOf({ host: 'platform.example', origin: 'https://platform.example' })).toBe(200);
  expect(await statusOf({ host: '[::1]:7070', origin: 'http://localhost:7070' })).toBe(200);
});
