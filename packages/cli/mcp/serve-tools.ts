// An MCP server on standard input and output whose tools are actions of a platform elsewhere.
import { randomBytes } from 'node:crypto';
import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { listOnly, registerTools } from '@powernode/client/mcp/register-tools';
import type { PlatformClient } from '@powernode/client/platform-client';
import { definitionOf } from '@powernode/core/actions/catalogue';
import { overMcpHeader, type Question, type ToolCaller } from '@powernode/core/actions/tool-call';
import { callableTools, type ToolSelection, toolInstructions, toolsOf } from '@powernode/core/actions/tools';
import { confirmationSeconds } from '@powernode/core/limits/clients';
import { whoami } from '../login/whoami.ts';
import { cliVersion } from '../version.ts';
import type { World } from '../world.ts';

export interface ServeParts {
  readonly platform: PlatformClient;
  readonly selection: ToolSelection;
  readonly world: Pick<World, 'stdin' | 'stderr'>;
}

/** Serves until the other side closes standard input. */
export function serveTools(parts: ServeParts): Promise<void> {
  // One client for the life of this process: what it carries back was sealed by this process.
  const codec = createRequestStateCodec<Question>({ key: randomBytes(32), ttlSeconds: confirmationSeconds });
  const newServer = () => {
    const server = new McpServer(
      { name: 'platform', title: 'Powernode', version: cliVersion },
      {
        capabilities: { tools: { listChanged: false } },
        instructions: toolInstructions,
        requestState: { verify: codec.verify },
        inputRequired: { roundTimeoutMs: confirmationSeconds * 1000 },
      },
    );
    registerTools(server, {
      tools: callableTools(parts.selection),
      seal: codec.mint,
      callerOf: (canAsk) => callerOf(parts.platform, canAsk),
    });
    listOnly(server, toolsOf(parts.selection));
    return server;
  };
  return new Promise((resolve) => {
    const { stdin, stderr } = parts.world;
    stdin.once('end', resolve);
    stdin.once('close', resolve);
    serveStdio(newServer, {
      transport: new StdioServerTransport(stdin, process.stdout),
      onerror: (error) => stderr.write(`powernode mcp: ${error.message}\n`),
    });
  });
}

function callerOf(platform: PlatformClient, canAsk: boolean): ToolCaller {
  return {
    canAsk,
    invoke: ({ action, input, overMcp }) =>
      platform.call(definitionOf(action).name, input, { headers: { [overMcpHeader]: overMcp } }),
    mayDecide: async () => (await whoami(platform)).permissions.includes('system.approvals.decide'),
  };
}
