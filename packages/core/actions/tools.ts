// The actions as MCP tools, read from their definitions: which there are, how each is described, and how an answer
// or a failure is shown. What happens on a call is in `tool-call.ts`.
import { type Problem, ProductError, problemOf } from '../errors.ts';
import { type ActionKey, actionKeys, definitionOf } from './catalogue.ts';
import type { ActionDefinition } from './define.ts';
import { callSchemaOf, type JsonSchema, outputSchemaOf } from './json-schema.ts';

/** A toolset is an area of the actions. Clients ask for some of them when all would be too many. */
export const toolsets = [
  'sdwan',
  'services',
  'firewall',
  'devices',
  'fleet',
  'provisioning',
  'autonomy',
  'accounts',
] as const satisfies ActionDefinition['area'][];
export type Toolset = (typeof toolsets)[number];

/** What is listed to a client that names no toolset; `toolsDefaultMax` bounds how many tools they have together. */
export const defaultToolsets: readonly Toolset[] = ['sdwan', 'services', 'firewall', 'fleet'];

export interface ToolSelection {
  readonly toolsets: readonly Toolset[];
  /** The client named its toolsets: it may call no others. One that named none may call what it is not shown. */
  readonly strict: boolean;
  /** Only tools that change nothing. */
  readonly readOnly: boolean;
}

export interface Tool {
  readonly action: ActionKey;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly annotations: {
    readonly title: string;
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
}

/** What a tool answers, in the shape of an MCP result. */
export interface ToolResult {
  content: { type: 'text'; text: string }[];
  structuredContent: Record<string, unknown>;
  isError?: true;
}

/** How a model should use the tools; given once, when it connects. */
export const toolInstructions = [
  'Powernode runs encrypted IPv6 overlays between machines.',
  'Objects are named by <noun>_id; list them first. Lists are paged by limit and cursor.',
  'Try a change with dry_run first: the answer has the would-be object and a plan, and nothing is written.',
  'When an answer has pending true, nothing has changed yet: a person has to approve it. Do not repeat the call.',
  `Tools of the toolsets ${toolsets.filter((one) => !defaultToolsets.includes(one)).join(', ')} are not listed unless asked for by ?toolsets=…, and can be called all the same.`,
  'A failure is a problem document: detail says what to do, errors names each wrong parameter.',
].join(' ');

/** The decision on a deferred operation belongs to a person, who is asked; a model has no parameter for it. */
const notForModels = ['approve'];

/** Made on first use, once: it takes some milliseconds, and most commands of the CLI need none. */
let everyTool: readonly Tool[] | undefined;

/** The selected tools, always in the order of the catalogue. */
export function toolsOf(selection: ToolSelection): readonly Tool[] {
  everyTool ??= actionKeys.map((key) => toolOf(key));
  return everyTool.filter(
    (tool) =>
      selection.toolsets.some((toolset) => toolset === definitionOf(tool.action).area) &&
      (!selection.readOnly || tool.annotations.readOnlyHint),
  );
}

/** The tools that may be called. */
export function callableTools(selection: ToolSelection): readonly Tool[] {
  return toolsOf(selection.strict ? selection : { ...selection, toolsets });
}

/** Reads `toolsets=sdwan,fleet` and `read_only=true`, as they come in an address or on a command line. */
export function parseToolSelection(text: {
  readonly toolsets: string | undefined;
  readonly readOnly: string | undefined;
}): ToolSelection {
  const strict = text.toolsets !== undefined && text.toolsets !== '';
  return { toolsets: parseToolsets(text.toolsets), strict, readOnly: parseFlag(text.readOnly) };
}

export function toolAnswer(body: Readonly<Record<string, unknown>>): ToolResult {
  const structuredContent = { ...body };
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

/** Any thrown value as a result that a model can read and act on; never as an error of the protocol. */
export function toolProblem(thrown: unknown): ToolResult {
  const problem: Problem = problemOf(thrown);
  return {
    content: [{ type: 'text', text: JSON.stringify(problem) }],
    structuredContent: { ...problem },
    isError: true,
  };
}

function toolOf(key: ActionKey): Tool {
  const action = definitionOf(key);
  return {
    action: key,
    name: action.name,
    title: action.title,
    description: action.description,
    inputSchema: callSchemaOf(action, { without: notForModels }),
    outputSchema: answerOrProblem(outputSchemaOf(action)),
    annotations: {
      title: action.title,
      readOnlyHint: action.hints.readOnly,
      destructiveHint: action.hints.destructive,
      idempotentHint: action.hints.idempotent,
      openWorldHint: action.hints.openWorld,
    },
  };
}

const problemProperties: Readonly<Record<string, JsonSchema>> = {
  type: { type: 'string' },
  title: { type: 'string' },
  status: { type: 'integer' },
  code: { type: 'string' },
  detail: { type: 'string' },
  errors: {
    type: 'array',
    items: {
      type: 'object',
      properties: { path: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
      required: ['path', 'code', 'message'],
    },
  },
};

/** Clients of the 2025 era check the content of failures against the output schema too, so it describes both. */
function answerOrProblem(answer: JsonSchema): JsonSchema {
  const { properties = {}, required = [] } = answer;
  const clash = Object.keys(problemProperties).find((name) => name in properties);
  if (clash !== undefined) throw new Error(`an action answers "${clash}", which a problem document also has`);
  return {
    type: 'object',
    properties: { ...properties, ...problemProperties },
    ...(required.length === 0
      ? {}
      : { anyOf: [{ required }, { required: ['type', 'status', 'code', 'detail'] }] }),
  };
}

function parseToolsets(text: string | undefined): readonly Toolset[] {
  if (text === undefined || text === '') return defaultToolsets;
  if (text === 'all') return toolsets;
  const asked = text.split(',').map((name) => name.trim());
  const unknown = asked.find((name) => !toolsets.some((toolset) => toolset === name));
  if (unknown === undefined) return toolsets.filter((toolset) => asked.includes(toolset));
  throw new ProductError(
    'malformed_request',
    `There is no toolset "${unknown.slice(0, 60)}". Name some of ${toolsets.join(', ')}, separated by commas, or all.`,
  );
}

function parseFlag(text: string | undefined): boolean {
  if (text === undefined || text === '' || text === 'false') return false;
  if (text === 'true') return true;
  throw new ProductError('malformed_request', `read_only is true or false, not "${text.slice(0, 60)}".`);
}
