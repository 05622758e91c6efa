// Deferred operations over MCP: who can be asked is asked, nobody else executes.
import {
  type CallToolResult,
  Client,
  type ClientOptions,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FakePlatform, networkId, testToken } from './fake-platform.ts';

// Clients and servers of the SDK take seconds to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const deletion = { name: 'system_sdwan_delete_network', arguments: { network_id: networkId } };

type Answer = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, boolean> };
const yes: Answer = { action: 'accept', content: { approve: true } };

interface Parts {
  readonly answer?: Answer;
  readonly era?: 'modern' | 'legacy';
  readonly manual?: boolean;
}

async function connect(platform: FakePlatform, parts: Parts) {
  const app = platform.surface();
  const asked: string[] = [];
  const options: ClientOptions = {
    versionNegotiation: { mode: parts.era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
    capabilities: parts.answer === undefined ? {} : { elicitation: {} },
    inputRequired: { autoFulfill: parts.manual !== true },
  };
  const client = new Client({ name: 'test', version: '1' }, options);
  const { answer } = parts;
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', (request) => {
      asked.push(request.params.message);
      return answer;
    });
  }
  const transport = new StreamableHTTPClientTransport(new URL('http://127.0.0.1/mcp'), {
    requestInit: { headers: { authorization: `Bearer ${testToken}` } },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      request.headers.set('host', '127.0.0.1');
      return app.fetch(request);
    },
  });
  await client.connect(transport);
  onTestFinished(async () => {
    await client.close();
    await app.close();
  });
  return { client, asked };
}

/** What is asked: made of what the platform found out, with the plan [9.5]. */
const question = [
  'Delete network office',
  `  network_id: "${networkId}"`,
  'It changes 1 instance:',
  '  edge-1: interface wg-abcdef; and 2 more',
  'Nothing has changed yet. Approve it now?',
].join('\n');

/** The first round of a call by a client that answers by hand. */
async function firstRound(platform: FakePlatform) {
  const { client } = await connect(platform, { answer: yes, manual: true });
  const first = await client.callTool(deletion, { allowInputRequired: true });
  const { requestState } = first as unknown as { requestState: string };
  expect(requestState).toEqual(expect.any(String));
  const repeat = (parts: { arguments?: object; name?: string; requestState?: string; response?: unknown }) =>
    client.request({
      method: 'tools/call',
      params: {
        ...deletion,
        arguments: parts.arguments ?? deletion.arguments,
        name: parts.name ?? deletion.name,
        requestState: parts.requestState ?? requestState,
        inputResponses: { confirm: parts.response ?? yes },
      },
    } as never) as Promise<CallToolResult>;
  return { requestState, repeat };
}

test('a person who is asked and approves has the operation run in the same call', async () => {
  const platform = new FakePlatform();
  const { client, asked } = await connect(platform, { answer: yes });
  await client.listTools();
  const result = await client.callTool(deletion);
  expect(asked).toEqual([question]);
  expect(result.structuredContent).toMatchObject({ network: { id: networkId } });
  expect(platform.networks.size).toBe(0);
  expect([...platform.approvals.values()]).toMatchObject([{ status: 'approved' }]);
});

test.each<[string, Answer]>([
  ['declines', { action: 'decline' }],
  ['accepts the form without the tick', { action: 'accept', content: { approve: false } }],
  ['accepts with nothing', { action: 'accept' }],
])('a person who %s leaves everything as it was, and the request is rejected', async (_, answer) => {
  const platform = new FakePlatform();
  const { client } = await connect(platform, { answer });
  expect(await client.callTool(deletion)).toMatchObject({
    isError: true,
    structuredContent: { code: 'permission_denied', detail: expect.stringContaining('said no') },
  });
  expect(platform.networks.size).toBe(1);
  expect([...platform.approvals.values()]).toMatchObject([{ status: 'rejected' }]);
});

test('a person who puts the question away leaves it in the queue', async () => {
  const platform = new FakePlatform();
  const { client } = await connect(platform, { answer: { action: 'cancel' } });
  const result = await client.callTool(deletion);
  expect(result.structuredContent).toMatchObject({
    pending: true,
    deferred_operation: { summary: 'Delete network office' },
  });
  expect([...platform.approvals.values()]).toMatchObject([{ status: 'pending' }]);
});

test.each<[string, Parts]>([
  ['cannot be asked', {}],
  ['is of the 2025 era over HTTP, without a session', { era: 'legacy', answer: yes }],
])('a client that %s gets the queue and never the execution', async (_, parts) => {
  const platform = new FakePlatform();
  const { client, asked } = await connect(platform, parts);
  await client.listTools();
  const result = await client.callTool(deletion);
  expect(result.structuredContent).toMatchObject({
    pending: true,
    deferred_operation: { id: expect.any(String) },
  });
  expect(asked).toEqual([]);
  expect(platform.networks.size).toBe(1);
});

test('whoever may not decide is not asked', async () => {
  const platform = new FakePlatform();
  platform.permissions.delete('system.approvals.decide');
  const { client, asked } = await connect(platform, { answer: yes });
  expect((await client.callTool(deletion)).structuredContent).toMatchObject({ pending: true });
  expect(asked).toEqual([]);
});

test('a model cannot approve by a parameter, nor by the tool that decides', async () => {
  const platform = new FakePlatform();
  const { client } = await connect(platform, {});
  const direct = await client.callTool({ ...deletion, arguments: { ...deletion.arguments, approve: true } });
  expect(direct).toMatchObject({ isError: true, structuredContent: { code: 'validation_failed' } });
  await client.callTool(deletion);
  const [id] = platform.approvals.keys();
  const decide = { name: 'system_decide_approval', arguments: { approval_id: id, decision: 'approve' } };
  expect(await client.callTool(decide)).toMatchObject({
    isError: true,
    structuredContent: { code: 'permission_denied' },
  });
  const reject = { ...decide, arguments: { approval_id: id, decision: 'reject' } };
  expect(await client.callTool(reject)).toMatchObject({
    isError: true,
    structuredContent: { code: 'permission_denied', detail: expect.stringContaining('--decision reject') },
  });
  expect(platform.networks.size).toBe(1);
  expect([...platform.approvals.values()]).toMatchObject([{ status: 'pending' }]);
});

test('the tool that decides asks a person what the approval itself says', async () => {
  const platform = new FakePlatform();
  await (await connect(platform, {})).client.callTool(deletion);
  const [id] = platform.approvals.keys();
  const { client, asked } = await connect(platform, { answer: yes });
  await client.callTool({
    name: 'system_decide_approval',
    arguments: { approval_id: id, decision: 'approve' },
  });
  expect(asked).toEqual([question]);
  expect(platform.networks.size).toBe(0);
});

test('a rejection is a person’s too [9.5]', async () => {
  const platform = new FakePlatform();
  await (await connect(platform, {})).client.callTool(deletion);
  const [id] = platform.approvals.keys();
  const { client, asked } = await connect(platform, { answer: yes });
  await client.callTool({
    name: 'system_decide_approval',
    arguments: { approval_id: id, decision: 'reject' },
  });
  expect(asked).toEqual([expect.stringMatching(/^Delete network office\n[^]*Reject it\?$/)]);
  expect([...platform.approvals.values()]).toMatchObject([{ status: 'rejected' }]);
});

test('an answer works once', async () => {
  const platform = new FakePlatform();
  const { repeat } = await firstRound(platform);
  expect(await repeat({})).toMatchObject({ structuredContent: { network: { id: networkId } } });
  expect(await repeat({})).toMatchObject({ isError: true, structuredContent: { code: 'conflict' } });
  expect(platform.approvals.size).toBe(1);
});

test('an answer is bound to the tool, the arguments, the caller and its own text', async () => {
  const platform = new FakePlatform();
  const { repeat, requestState } = await firstRound(platform);
  const other = { network_id: networkId, dry_run: false };
  expect(await repeat({ arguments: other })).toMatchObject({ structuredContent: { code: 'conflict' } });
  expect(await repeat({ name: 'system_sdwan_get_network' })).toMatchObject({
    structuredContent: { code: 'conflict' },
  });
  await expect(repeat({ requestState: `${requestState.slice(0, -2)}AA` })).rejects.toMatchObject({
    code: -32602,
  });
  platform.operatorId = '01990000-0000-7000-8000-0000000000cc';
  await expect(repeat({})).rejects.toMatchObject({ code: -32602 });
  expect(platform.networks.size).toBe(1);
});

test('a repeated call without an answer is asked again about the same operation', async () => {
  const platform = new FakePlatform();
  const { repeat } = await firstRound(platform);
  await expect(repeat({ response: { nothing: true } })).rejects.toThrow(/input/i);
  expect(platform.approvals.size).toBe(1);
});

test('a dry run is not deferred', async () => {
  const platform = new FakePlatform();
  const { client, asked } = await connect(platform, { answer: yes });
  const result = await client.callTool({ ...deletion, arguments: { ...deletion.arguments, dry_run: true } });
  expect(result.structuredContent).toMatchObject({ dry_run: true });
  expect(asked).toEqual([]);
});
