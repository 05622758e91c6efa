// The named schemas of the OpenAPI document: one for each noun that actions answer, found in their definitions.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { type JsonSchema, jsonSchemaOf, type Rewrite } from '@powernode/core/actions/json-schema';
import { errorTable } from '@powernode/core/errors';
import { deferredOperation, plan } from '@powernode/core/intent/autonomy';
import { z } from 'zod';

const named = nameNouns();

/** Writes a reference where a noun occurs inside another schema. */
export const refer: Rewrite = ({ zod, json }) => {
  const name = named.get(zod);
  if (name === undefined) return;
  for (const keyword of Object.keys(json)) delete json[keyword];
  json['$ref'] = `#/components/schemas/${name}`;
};

/** The schemas of all nouns by name, in alphabetical order. */
export function nounSchemas(): Record<string, JsonSchema> {
  const entries = [...named].map(([zod, name]) => {
    const schema = jsonSchemaOf(zod as z.ZodType, 'output', (part) => {
      if (part.zod !== zod) refer(part);
    });
    return [name, schema] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'Why a request failed (RFC 9457). Only code is stable; detail says what to do.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errorTable) },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      description: 'Each invalid parameter',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'Where, dotted: subnets.0.prefix' },
          code: { type: 'string' },
          message: { type: 'string' },
        },
        required: ['path', 'code', 'message'],
      },
    },
  },
  required: ['type', 'title', 'status', 'code', 'detail'],
};

/** Lists name the noun itself; what only one action answers, such as a token shown once, gets a name of its own. */
function nameNouns(): Map<unknown, string> {
  const names = new Map<unknown, string>([
    [plan, 'Plan'],
    [deferredOperation, 'DeferredOperation'],
  ]);
  const give = (schema: unknown, name: string) => {
    const taken = new Set(names.values());
    if (!names.has(schema)) names.set(schema, taken.has(name) ? `Created${name}` : name);
  };
  const outputs = actionKeys.flatMap((key) => Object.entries(definitionOf(key).output));
  for (const [key, schema] of outputs) {
    if (schema instanceof z.ZodArray && schema.element instanceof z.ZodObject) {
      give(schema.element, pascal(singular(key)));
    }
  }
  for (const [key, schema] of outputs) if (schema instanceof z.ZodObject) give(schema, pascal(key));
  return names;
}

function singular(noun: string): string {
  return noun.endsWith('ies') ? `${noun.slice(0, -3)}y` : noun.replace(/s$/, '');
}

function pascal(name: string): string {
  return name.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
