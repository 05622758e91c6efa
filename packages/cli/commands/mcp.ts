// `powernode mcp`: the platform's tools over standard input and output, with the login of the command line.
import { parseToolSelection } from '@powernode/core/actions/tools';
import { buildCommand } from '@stricli/core';
import { findTarget } from '../login/target.ts';
import { Platform } from '../remote/platform.ts';
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
    fullDescription:
      'For programs that start their MCP servers themselves. What needs a decision is asked of the person there,\nwhen the program can ask; otherwise it waits for approval.',
  },
  parameters: {
    flags: {
      toolsets: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Only these: sdwan, fleet, autonomy, accounts, separated by commas',
        placeholder: 'names',
      },
      readOnly: {
        kind: 'boolean',
        optional: true,
        brief: 'Only tools that change nothing',
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
    const platform = new Platform(await findTarget(this.world, flags));
    // Only here: it brings the whole SDK, which would slow every other command down.
    const { serveTools } = await import('../mcp/serve-tools.ts');
    await serveTools({ platform, selection, world: this.world });
  },
});
