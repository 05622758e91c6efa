// `powernode mcp`: the platform's tools over standard input and output, with the login of the command line.
import { toolsetLines, toolsets } from '@powernode/core/actions/tool-sets';
import { parseToolSelection } from '@powernode/core/actions/tools';
import { buildCommand } from '@stricli/core';
import { findTarget } from '../login/target.ts';
import { platformAt } from '../remote/platform.ts';
import type { CliContext } from '../world.ts';
import { commonFlags } from './flags.ts';

interface McpFlags {
  readonly toolsets?: string;
  readonly readOnly?: boolean;
  readonly url?: string;
  readonly ca?: string;
}

export const mcpCommand = buildCommand<McpFlags, [], CliContext>({
  docs: {
    brief: 'Serve the platform as MCP tools on standard input and output',
    fullDescription: `For MCP clients that start servers themselves. When a call needs a decision, the client asks its user,\nif it supports that; otherwise the call waits for approval.\n\nThe toolsets:\n${toolsetLines((name) => name).join('\n')}`,
  },
  parameters: {
    flags: {
      toolsets: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: `Only these toolsets, separated by commas: ${toolsets.join(', ')}; or all`,
        placeholder: 'names',
      },
      readOnly: {
        kind: 'boolean',
        optional: true,
        brief: 'Only read-only tools',
        withNegated: false,
      },
      url: commonFlags.url,
      ca: commonFlags.ca,
    },
  },
  async func(flags) {
    const selection = parseToolSelection({
      toolsets: flags.toolsets,
      readOnly: String(flags.readOnly ?? false),
    });
    const platform = platformAt(await findTarget(this.world, flags));
    // Only here: it brings the whole SDK, which would slow every other command down.
    const { serveTools } = await import('../mcp/serve-tools.ts');
    await serveTools({ platform, selection, world: this.world });
  },
});
