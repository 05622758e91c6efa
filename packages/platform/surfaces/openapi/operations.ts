// One action as operations of the OpenAPI document: its resource route and its generic route.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { type ActionDefinition, type Route, routesOf } from '@powernode/core/actions/define';
import { inputSchemaOf, type JsonSchema, jsonSchemaOf } from '@powernode/core/actions/json-schema';
import { plan } from '@powernode/core/intent/autonomy';
import { idempotencyKeyLengthMax } from '@powernode/core/limits/requests';
import { z } from 'zod';
import { refer } from './components.ts';

type Operation = Record<string, unknown>;

export interface Routed {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

export function resourceOperations(key: ActionKey): Routed[] {
  const action = definitionOf(key);
  return routesOf(action).map((route) => ({
    path: `/api/v1/system${route.path}`,
    method: route.method.toLowerCase(),
    operation: {
      ...commonOf(action),
      operationId: route === action.route ? action.name : `${route.method.toLowerCase()}_${action.name}`,
      ...resourceInput(action, { key, route }),
      responses: responsesOf(action),
    },
  }));
}

export function genericOperation(key: ActionKey): Routed {
  const action = definitionOf(key);
  return {
    path: `/api/v1/actions/${action.name}`,
    method: 'post',
    operation: {
      ...commonOf(action),
      operationId: `call_${action.name}`,
      parameters: [idempotencyKey],
      requestBody: {
        required: (inputSchemaOf(action).required ?? []).length > 0,
        content: json(refTo(inputName(key))),
      },
      responses: responsesOf(action),
    },
  };
}

export function inputName(key: ActionKey): string {
  return `${key.charAt(0).toUpperCase()}${key.slice(1)}Input`;
}

export function json(schema: JsonSchema) {
  return { 'application/json': { schema } };
}

export function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export const idempotencyKey = { $ref: '#/components/parameters/IdempotencyKey' };

export const idempotencyKeyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A repeated request with the same key within a day gets the first answer again',
  schema: { type: 'string', minLength: 1, maxLength: idempotencyKeyLengthMax },
};

function commonOf(action: ActionDefinition): Operation {
  const facts = [
    action.description,
    action.permission === null ? 'Any signed-in operator may.' : `Permission: \`${action.permission}\`.`,
    action.category === null
      ? ''
      : `Policy category: \`${action.category.name}\`, by default \`${action.category.defaultMode}\`.`,
  ];
  return {
    summary: action.title,
    description: facts.filter((fact) => fact !== '').join('\n\n'),
    tags: [action.area],
  };
}

/** Names in the path are taken from there; the rest is the query of GET and DELETE, and the body of others. */
function resourceInput(
  action: ActionDefinition,
  { key, route }: { readonly key: ActionKey; readonly route: Route },
): Operation {
  const { method, path } = route;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const schema = inputSchemaOf(action);
  const { properties = {}, required = [] } = schema;
  const parameters: unknown[] = inPath.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: properties[name],
  }));
  if (method === 'POST') parameters.push(idempotencyKey);
  if (method === 'GET' || method === 'DELETE') {
    for (const [name, property] of Object.entries(properties)) {
      if (!inPath.includes(name)) parameters.push(queryParameter(name, property, required));
    }
    return { parameters };
  }
  const body = inPath.length === 0 ? refTo(inputName(key)) : without(schema, inPath);
  const needed = required.some((name) => !inPath.includes(name));
  return { parameters, requestBody: { required: needed, content: json(body) } };
}

function without(schema: JsonSchema, names: readonly string[]): JsonSchema {
  const { properties = {}, required = [], ...rest } = schema;
  const needed = required.filter((name) => !names.includes(name));
  return {
    ...rest,
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
}

function queryParameter(name: string, schema: JsonSchema, required: readonly string[]): unknown {
  const list = schema.type === 'array' ? { style: 'form', explode: false } : {};
  return { name, in: 'query', required: required.includes(name), schema, ...list };
}

function responsesOf(action: ActionDefinition): Operation {
  const answer = json(jsonSchemaOf(z.object(action.output), 'output', refer));
  if (action.category === null)
    return { 200: { description: 'The answer', content: answer }, ...problems(action) };
  const tried = { ...action.output, dry_run: z.boolean().optional(), plan: plan.optional() };
  const changed = json(jsonSchemaOf(z.object(tried), 'output', refer));
  const pending = { 202: { $ref: '#/components/responses/Pending' } };
  const done = action.creates
    ? {
        200: { description: 'With dry_run: what would be', content: changed },
        201: { description: 'Created', content: answer },
      }
    : { 200: { description: 'Done, or with dry_run what would be', content: changed } };
  return { ...done, ...pending, ...problems(action) };
}

function problems(action: ActionDefinition): Operation {
  const named = (name: string) => ({ $ref: `#/components/responses/${name}` });
  return {
    401: named('Unauthenticated'),
    403: named('PermissionDenied'),
    ...(action.subject === null ? {} : { 404: named('NotFound') }),
    ...(action.category === null ? {} : { 409: named('Conflict') }),
    422: named('ValidationFailed'),
    429: named('RateLimited'),
    default: named('Problem'),
  };
}
