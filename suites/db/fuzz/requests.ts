// Requests of an operation, as it should be or bent in one way.
import fc from 'fast-check';
import type { Sent } from '../../../packages/platform/surfaces/http/edge.fixture.ts';
import type { Operation } from './operations.ts';
import { objectOf, valueOf } from './values.ts';

/** fitting: values of the schema, some of another kind. The others are what their names say. */
export const bends = [
  'fitting',
  'half_of_a_pair',
  'no_utf8',
  'name_twice',
  'broken_percent',
  'broken_path',
  'long_path',
  'parameter_twice',
  'body_on_get',
  'other_method',
  'unknown_parameter',
  'too_deep',
  'no_json',
] as const;
/** Longer than an address may be, and less than the listener takes as headers. */
const longPath = 8_000;

export type Bend = (typeof bends)[number];

export interface Drawn {
  readonly operation: Operation;
  readonly bend: Bend;
  /** null: the operation cannot be bent so. */
  readonly sent: Sent | null;
}

interface Plain {
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly body: Record<string, unknown> | null;
  /** Which of the methods that the path does not have. */
  readonly other: number;
}

export function requestFor(operation: Operation, bend: Bend): fc.Arbitrary<Drawn> {
  return plainOf(operation).map((plain) => ({ operation, bend, sent: bent(operation, bend, plain) }));
}

function plainOf(operation: Operation): fc.Arbitrary<Plain> {
  const inPath = operation.parameters.filter((one) => one.in === 'path');
  const inQuery = operation.parameters.filter((one) => one.in === 'query');
  return fc.record({
    path: fc
      .tuple(...inPath.map((one) => valueOf(one.schema)))
      .map((values) => filled(operation.path, inPath, values)),
    query: fc
      .record(Object.fromEntries(inQuery.map((one) => [one.name, valueOf(one.schema)])), {
        requiredKeys: inQuery.filter((one) => one.required === true).map((one) => one.name),
      })
      .map((query) => Object.entries(query).map(([name, value]) => [name, asText(value)] as const)),
    body: operation.body === null ? fc.constant(null) : objectOf(operation.body),
    other: fc.nat(100),
  });
}

function filled(
  path: string,
  names: readonly { readonly name: string }[],
  values: readonly unknown[],
): string {
  return names.reduce((text, { name }, i) => {
    // An empty segment, or one with a control character, is another address; that is bent elsewhere.
    const value = asText(values[i])
      .replaceAll(/[\p{Cc}./]/gu, '')
      .slice(0, 200);
    return text.replace(`{${name}}`, encodeURIComponent((value === '' ? 'x' : value).toWellFormed()));
  }, path);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function bent(operation: Operation, bend: Bend, plain: Plain): Sent | null {
  const { method } = operation;
  const hasBody = method !== 'GET' && plain.body !== null;
  const target = (query = plain.query) => plain.path + queryText(query);
  const body = hasBody ? JSON.stringify(plain.body) : undefined;
  const whole = { method, path: target(), ...(body === undefined ? {} : { body }) };
  const withBody = (text: string | Buffer) => (hasBody ? { ...whole, body: text } : null);
  switch (bend) {
    case 'fitting':
      return {
        ...whole,
        path: target(plain.query.map(([name, value]) => [name, value.replaceAll('\0', '')])),
      };
    case 'half_of_a_pair':
      return withBody(`{"name": "\\ud8${method === 'POST' ? '00' : 'ff'}"}`);
    case 'no_utf8':
      return withBody(Buffer.concat([Buffer.from('{"name": "'), Buffer.of(0xc3, 0x28), Buffer.from('"}')]));
    case 'name_twice':
      return withBody('{"name": "a", "n\\u0061me": "b"}');
    case 'broken_percent':
      return { method, path: `${plain.path}?${method === 'GET' ? 'limit' : 'x'}=%fz` };
    case 'parameter_twice':
      return method === 'GET' && operation.path.startsWith('/api/')
        ? {
            method,
            path: target([
              ['id', '1'],
              ['id', '2'],
            ]),
          }
        : null;
    case 'body_on_get':
      return method === 'GET' && operation.path.startsWith('/api/v1/system')
        ? { method, path: plain.path, body: '{"limit": 1}' }
        : null;
    case 'other_method':
      return {
        method: operation.otherMethods[plain.other % operation.otherMethods.length] ?? '',
        path: plain.path,
      };
    case 'broken_path':
      return { method, path: `${plain.path}/${['%zz', '%ff', '%00', '%'][plain.other % 4]}` };
    case 'long_path':
      return { method, path: `${plain.path}/${'x'.repeat(longPath)}` };
    case 'unknown_parameter':
      return withBody('{"no_such_parameter": 1}');
    case 'too_deep':
      return withBody(`{"name": ${'['.repeat(200)}${']'.repeat(200)}}`);
    case 'no_json':
      return withBody('{"name": ');
  }
}

function queryText(query: Plain['query']): string {
  if (query.length === 0) return '';
  const parts = query.map(
    ([name, value]) => `${name}=${encodeURIComponent(value.slice(0, 60).toWellFormed())}`,
  );
  return `?${parts.join('&')}`;
}
