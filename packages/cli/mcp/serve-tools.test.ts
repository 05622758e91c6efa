// `powernode mcp` as a process of its own, as the official clients of both eras start and use it.
import path from 'node:path';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { toolsOf } from '@powernode/core/actions/tools';
import { toolsDefaultBytesMax } from '@powernode/core/limits/clients';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fixturePlatform, problem, type Reply, temporaryHome } from '../testing/fixture.ts';

// Clients and servers of the SDK take seconds to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const id = '01990000-0000-7000-8000-000000000001';
const operation = {
  id,
  action: 'x',
  summary: 'Delete a network: office',
  expires_at: '2026-08-01T04:00:00Z',
};
const stamps = {
  created_at: '2026-08-01T00:00:00.000Z',
  updated_at: '2026-08-01T00:00:00.000Z',
  revision: 1,
};
const network = { id, name: 'office' };
const deletion = { name: 'system_sdwan_delete_network', arguments: { network_id: id } };

function replies(permissions: readonly string[]): Record<string, Reply> {
  return {
    system_sdwan_get_network: { status: 404, body: problem('not_found', 404, 'There is no such network.') },
    system_sdwan_delete_network: { status: 202, body: { pending: true, deferred_operation: operation } },
    system_decide_approval: {
      body: { approval: { id, status: 'approved', result: { network }, error: null } },
    },
    system_whoami: {
      body: {
        operator: {
          ...{ id, account_id: id, ...stamps, name: 'Ada', role: 'owner' },
          ...{ platform_admin: false, disabled: false, disabled_at: null },
        },
        account: { id, account_id: id, ...stamps, name: 'Home', pool_prefix: 'fd00:1::/48' },
        permissions,
      },
    },
  };
}

async function started(permissions: readonly string[], flags: readonly string[] = []) {
  const platform = await fixturePlatform(replies(permissions));
  const main = path.join(import.meta.dirname, '..', 'main.ts');
  const env = { HOME: await temporaryHome(), POWERNODE_URL: platform.url, POWERNODE_TOKEN: 'x' };
  const called = () => platform.received.map((request) => request.path.replace('/api/v1/actions/', ''));
  const saidOverMcp = () => platform.received.map(({ headers }) => headers['powernode-over-mcp']);
  return { called, saidOverMcp, spawn: { command: process.execPath, args: [main, 'mcp', ...flags], env } };
}

const mayDecide = ['system.approvals.decide'];

/** A client of either era whose person says yes to everything, or that cannot ask one. */
async function connect(
  era: 'modern' | 'legacy',
  spawn: ConstructorParameters<typeof LegacyTransport>[0],
  asks: boolean,
) {
  const asked: string[] = [];
  const capabilities = asks ? { elicitation: {} } : {};
  const yes = { action: 'accept' as const, content: { approve: true } };
  if (era === 'modern') {
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    if (asks) {
      client.setRequestHandler('elicitation/create', (request) => {
        asked.push(request.params.message);
        return yes;
      });
    }
    await client.connect(new ModernTransport(spawn));
    onTestFinished(() => client.close());
    return { client, asked };
  }
  const client = new LegacyClient({ name: 'test', version: '1' }, { capabilities });
  if (asks) {
    client.setRequestHandler(ElicitRequestSchema, (request) => {
      asked.push(request.params.message);
      return yes;
    });
  }
  await client.connect(new LegacyTransport(spawn));
  onTestFinished(() => client.close());
  return { client, asked };
}

test.each(['modern', 'legacy'] as const)(
  'a %s client gets the tools and the problems of the platform',
  async (era) => {
    const { spawn } = await started(mayDecide);
    const { client } = await connect(era, spawn, false);
    expect(client.getServerVersion()?.name).toBe('platform');
    const { tools } = await client.listTools();
    const shown = toolsOf({ toolsets: ['default'], strict: false, readOnly: false });
    expect(tools.map((tool) => tool.name)).toEqual(shown.map(({ name }) => name));
    expect(Buffer.byteLength(JSON.stringify({ tools }))).toBeLessThan(toolsDefaultBytesMax);
    const missing = await client.callTool({
      name: 'system_sdwan_get_network',
      arguments: { network_id: id },
    });
    expect(missing).toMatchObject({ isError: true, structuredContent: { code: 'not_found' } });
  },
);

test.each(['modern', 'legacy'] as const)('a person at a %s client is asked, and decides', async (era) => {
  const { spawn, called, saidOverMcp } = await started(mayDecide);
  const { client, asked } = await connect(era, spawn, true);
  const result = await client.callTool(deletion);
  expect(asked).toEqual([expect.stringContaining('Delete a network: office')]);
  expect(result.structuredContent).toEqual({ untrusted_fields: ['network.name'], network });
  expect(called()).toEqual(['system_sdwan_delete_network', 'system_whoami', 'system_decide_approval']);
  // The platform is told who stands behind each call, and holds the rule itself [9.5].
  expect(saidOverMcp()).toEqual(['model', undefined, 'person']);
});

test.each<['modern' | 'legacy', string, boolean, readonly string[]]>([
  ['modern', 'cannot ask', false, mayDecide],
  ['legacy', 'cannot ask', false, mayDecide],
  ['modern', 'may not decide', true, []],
])('with a %s client that %s, the operation waits', async (era, _, asks, permissions) => {
  const { spawn, called } = await started(permissions);
  const { client, asked } = await connect(era, spawn, asks);
  const result = await client.callTool(deletion);
  expect(result.structuredContent).toEqual({
    untrusted_fields: ['deferred_operation.summary'],
    pending: true,
    deferred_operation: operation,
    next_step: expect.stringContaining(`powernode approval decide ${id}`),
  });
  expect(asked).toEqual([]);
  expect(called()).not.toContain('system_decide_approval');
});

test('toolsets and read-only narrow the tools', async () => {
  const { spawn } = await started(mayDecide, ['--toolsets', 'fleet', '--read-only']);
  const { client } = await connect('modern', spawn, false);
  expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual([
    'system_list_instances',
    'system_get_instance',
    'recent_events',
    'system_list_changes',
  ]);
});
