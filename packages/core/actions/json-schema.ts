// The JSON Schema (2020-12) of an action's input and output, as MCP tools and the OpenAPI document show it.
// It describes; what is accepted is decided by the zod schemas themselves.
import { z } from 'zod';
import { type ActionDefinition, inputOf, outputOf } from './define.ts';

/** The keywords that surfaces read, typed; the others as they come. */
export interface JsonSchema {
  type?: string | readonly string[];
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  items?: JsonSchema;
  anyOf?: readonly JsonSchema[];
  enum?: readonly unknown[];
  description?: string;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  [keyword: string]: unknown;
}

/** Called for every part of a schema, outermost last: may replace what is written for it. */
export type Rewrite = (part: { readonly zod: unknown; readonly json: JsonSchema }) => void;

export interface SchemaOptions {
  /** A name for parts that occur more than once, such as nouns. */
  readonly rewrite?: Rewrite;
  /** Parameters that this surface does not offer. */
  readonly without?: readonly string[];
}

export function inputSchemaOf(action: ActionDefinition, options: SchemaOptions = {}): JsonSchema {
  const schema = inputOf(action);
  const kept = Object.entries(schema.shape).filter(([name]) => !options.without?.includes(name));
  return jsonSchemaOf(z.strictObject(Object.fromEntries(kept)), 'input', options.rewrite);
}

/** The same where all parameters come in one object, in which the subject has an alias. */
export function callSchemaOf(action: ActionDefinition, options: SchemaOptions = {}): JsonSchema {
  const json = inputSchemaOf(action, options);
  return action.subject === null ? json : withAlias(json, action.subject);
}

export function outputSchemaOf(action: ActionDefinition, options: SchemaOptions = {}): JsonSchema {
  return jsonSchemaOf(outputOf(action), 'output', options.rewrite);
}

export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output', rewrite?: Rewrite): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override: (context) => {
      const part = context.jsonSchema as JsonSchema;
      dropNoise(part);
      if (io === 'output') dropPromises(part);
      else if (part.pattern !== undefined && !isPortable(part.pattern)) delete part.pattern;
      rewrite?.({ zod: context.zodSchema, json: part });
    },
  }) as JsonSchema;
  return json;
}

/** The bounds of exact integers in JavaScript are said of every integer, and tell the reader nothing. */
function dropNoise(part: JsonSchema): void {
  if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
  if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
}

/** Clients check answers against a copy that may be older than the platform, and the contract grows by adding. */
function dropPromises(part: JsonSchema): void {
  delete part['additionalProperties'];
  delete part.pattern;
}

/** `\p{…}` and `[^]` are errors in the regular expressions of most other languages, and break their validators. */
function isPortable(pattern: string): boolean {
  return !/\\[pP]|\[\^\]/.test(pattern);
}

function withAlias(json: JsonSchema, subject: string): JsonSchema {
  const named = json.properties?.[subject];
  if (named === undefined) return json;
  const description = [named.description, 'Alias: id'].filter(Boolean).join('. ');
  return { ...json, properties: { ...json.properties, [subject]: { ...named, description } } };
}
