// Registers the actions of the catalogue as tools of an MCP server, over HTTP in the platform and on stdio in the command
// line. Inputs pass through unchecked: the platform checks them, so that a wrong parameter is the same problem here as
// on every other surface.

import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  inputRequired,
  inputResponse,
  type ListToolsResult,
  type McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import type { JsonSchema } from '@powernode/core/actions/json-schema';
import {
  callTool,
  type PersonsAnswer,
  type Question,
  type ToolCaller,
} from '@powernode/core/actions/tool-call';
import type { Tool } from '@powernode/core/actions/tools';

/** The one question's name among the inputs that a result may ask for. */
const confirmKey = 'confirm';

export interface ToolBinding {
  readonly tools: readonly Tool[];
  /** Seals a question for its way through the client. The server's own `verify` opens it again. */
  readonly seal: (question: Question, context: ServerContext) => Promise<string>;
  readonly callerOf: (canAsk: boolean) => ToolCaller;
}

export function registerTools(server: McpServer, binding: ToolBinding): void {
  for (const tool of binding.tools) {
    const { name, title, description, annotations } = tool;
    const inputSchema = described(tool.inputSchema);
    const outputSchema = described(tool.outputSchema);
    server.registerTool(
      name,
      { title, description, inputSchema, outputSchema, annotations },
      async (input, context) => {
        const caller = binding.callerOf(canAsk(server, context));
        const step = await callTool(caller, { tool, input, answer: answerIn(context) });
        if (step.kind === 'done') return { ...step.result };
        return inputRequired({
          inputRequests: { [confirmKey]: confirmation(step.message) },
          requestState: await binding.seal(step.question, context),
        });
      },
    );
  }
}

/** Shows only these; the others can be called by those who know them. */
export function listOnly(server: McpServer, tools: readonly Tool[]): void {
  const listed = tools.map(
    ({ action: _, untrusted: _untrusted, ...shown }) => shown,
  ) as unknown as ListToolsResult['tools'];
  server.server.setRequestHandler('tools/list', () => ({ tools: listed }));
}

/** A 2025 client without a session cannot be asked: its server cannot send it a request. */
function canAsk(server: McpServer, context: ServerContext): boolean {
  const envelope = (context.mcpReq.envelope ?? {}) as Record<string, ClientCapabilities | undefined>;
  const declared: ClientCapabilities | undefined =
    envelope[CLIENT_CAPABILITIES_META_KEY] ?? server.server.getClientCapabilities();
  const elicitation = declared?.elicitation;
  if (elicitation === undefined) return false;
  return elicitation.form !== undefined || elicitation.url === undefined;
}

function confirmation(message: string) {
  return inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { approve: { type: 'boolean', title: 'Yes', default: false } },
      required: ['approve'],
    },
  });
}

function answerIn(context: ServerContext): PersonsAnswer | null {
  const question = context.mcpReq.requestState<Question>();
  if (question === undefined) return null;
  const response = inputResponse(context.mcpReq.inputResponses, confirmKey);
  if (response.kind !== 'elicit') return { question, kind: 'none' };
  if (response.action === 'cancel') return { question, kind: 'cancelled' };
  const confirmed = response.action === 'accept' && response.content?.['approve'] === true;
  return { question, kind: confirmed ? 'confirmed' : 'declined' };
}

/** A schema that describes and lets everything pass. */
function described(schema: JsonSchema): StandardSchemaWithJSON {
  return {
    '~standard': {
      version: 1,
      vendor: 'powernode',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => schema, output: () => schema },
    },
  };
}
