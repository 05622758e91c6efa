// The flags of an action's command, read from its input schema, and the parameters that given flags make.
import type { ActionDefinition } from '@powernode/core/actions/define';
import { inputSchemaOf, type JsonSchema } from '@powernode/core/actions/json-schema';
import { ProductError } from '@powernode/core/errors';
import { buildChoiceParser, numberParser } from '@stricli/core';
import { objectParser, parseJson } from './shorthand.ts';

/** One flag in the form that stricli takes; its own types need the names at compile time. */
export type Flag = {
  readonly kind: 'boolean' | 'enum' | 'parsed';
  readonly brief: string;
  readonly optional: boolean;
  readonly [setting: string]: unknown;
};

interface Parameter {
  /** As the action calls it: `node_instance_id`. */
  readonly name: string;
  /** As stricli knows it: `nodeInstanceId`, written `--node-instance-id`. */
  readonly key: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly nullable: boolean;
}

export interface ActionFlags {
  readonly flags: Readonly<Record<string, Flag>>;
  /** The parameters of the action, without those that are not given. */
  readonly inputOf: (given: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/** Flags that every action's command has beside its own; none of them may be the name of a parameter. */
export const commonFlags = {
  json: { kind: 'boolean', brief: 'Print JSON', optional: true, withNegated: false },
  url: text('URL of the platform, instead of POWERNODE_URL', 'url'),
  ca: text('PEM file of the CA to trust, instead of POWERNODE_CA', 'file'),
} as const satisfies Record<string, Flag>;

const unsetKey = 'unset';

export function flagsOf(action: ActionDefinition): ActionFlags {
  const parameters = parametersOf(action);
  const nullable = parameters.filter((parameter) => parameter.nullable);
  const own = parameters.map((parameter) => [parameter.key, flagOf(action, parameter)] as const);
  const unset = nullable.length === 0 ? [] : [[unsetKey, unsetFlag(nullable)] as const];
  const entries = [...own, ...unset, ...Object.entries(commonFlags)];
  const flags: Record<string, Flag> = Object.fromEntries(entries);
  if (Object.keys(flags).length !== entries.length) {
    throw new Error(`${action.name} has a parameter with the name of a common flag`);
  }
  return { flags, inputOf: (given) => inputOf(parameters, given) };
}

export function kebab(name: string): string {
  return name.replaceAll('_', '-');
}

function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function parametersOf(action: ActionDefinition): readonly Parameter[] {
  const schema = inputSchemaOf(action);
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).map(([name, property]) => {
    const { schema: inner, nullable } = withoutNull(property);
    return {
      name,
      key: camel(name),
      schema: inner,
      nullable,
      required: required.includes(name) && !nullable,
    };
  });
}

/** `anyOf: [X, null]` and `type: ["x", "null"]` as X that may also be null. */
function withoutNull(property: JsonSchema): { readonly schema: JsonSchema; readonly nullable: boolean } {
  const { anyOf, type, description } = property;
  const described = description === undefined ? {} : { description };
  if (anyOf?.length === 2 && anyOf[1]?.type === 'null') {
    return { schema: { ...anyOf[0], ...described }, nullable: true };
  }
  if (Array.isArray(type) && type.length === 2 && type[1] === 'null') {
    return { schema: { ...property, type: String(type[0]) }, nullable: true };
  }
  return { schema: property, nullable: false };
}

function flagOf(action: ActionDefinition, parameter: Parameter): Flag {
  const { schema } = parameter;
  // The object that a command is about may also be given as its argument.
  const optional = !parameter.required || parameter.name === action.subject;
  const brief = briefOf(parameter);
  if (schema.enum !== undefined) return { kind: 'enum', values: schema.enum, brief, optional };
  switch (typeOf(schema)) {
    case 'boolean':
      return { kind: 'boolean', brief, optional: true, withNegated: schema['default'] !== false };
    case 'integer':
    case 'number':
      return { kind: 'parsed', parse: numberParser, brief, optional, placeholder: 'number' };
    case 'string':
      return { ...text(brief, placeholderOf(parameter)), optional };
    case 'array':
      return listFlag(schema, { brief, optional });
    default: {
      const { parse, words } = objectParser(schema);
      const placeholder = words.length === 0 ? 'json' : 'what';
      const taken = words.length === 0 ? 'JSON' : words.join(', ');
      return { kind: 'parsed', parse, brief: `${brief} (${taken})`.trim(), optional, placeholder };
    }
  }
}

/** Numbers of several ranges are numbers. */
function typeOf({ type, anyOf = [] }: JsonSchema): JsonSchema['type'] {
  const isNumber = anyOf.length > 0 && anyOf.every((one) => one.type === 'integer' || one.type === 'number');
  return isNumber ? 'number' : type;
}

/** Lists of objects are JSON, which has commas of its own: all of them in one list, or the flag once for each. */
function listFlag(
  schema: JsonSchema,
  { brief, optional }: { readonly brief: string; readonly optional: boolean },
) {
  const { items = {} } = schema;
  const base = { brief, optional, variadic: ',' } as const;
  if (items.enum !== undefined) return { ...base, kind: 'enum', values: items.enum } as const;
  if (items.type === 'string') {
    return { ...base, kind: 'parsed', parse: String, placeholder: 'value,…' } as const;
  }
  const json = { kind: 'parsed', parse: parseJson, placeholder: 'json' } as const;
  return {
    ...base,
    ...json,
    brief: `${brief} (a JSON list, or an object for each)`,
    variadic: true,
  } as const;
}

function unsetFlag(nullable: readonly Parameter[]): Flag {
  const names = nullable.map((parameter) => kebab(parameter.name));
  return {
    kind: 'parsed',
    parse: buildChoiceParser(names),
    proposeCompletions: (partial: string) => names.filter((name) => name.startsWith(partial)),
    brief: `Give none of: ${names.join(', ')}`,
    placeholder: 'flag,…',
    optional: true,
    variadic: ',',
  };
}

function text(brief: string, placeholder: string) {
  return { kind: 'parsed', parse: String, brief, optional: true, placeholder } as const;
}

function placeholderOf({ name, schema }: Parameter): string {
  if (schema.format === 'uuid') return 'id';
  return name.split('_').at(-1) ?? 'value';
}

function briefOf({ name, schema }: Parameter): string {
  const { description, default: preset } = schema;
  const words = description ?? capitalized(name.replaceAll('_', ' '));
  const shown = typeof preset === 'string' ? preset : JSON.stringify(preset);
  return preset === undefined || preset === false ? words : `${words} (default ${shown})`;
}

function capitalized(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function inputOf(parameters: readonly Parameter[], given: Readonly<Record<string, unknown>>) {
  const input: Record<string, unknown> = {};
  for (const { name, key, schema } of parameters) {
    const value = given[key];
    if (value !== undefined) input[name] = schema.type === 'array' ? withoutEmpty([value].flat(2)) : value;
  }
  for (const flag of (given[unsetKey] as readonly string[] | undefined) ?? []) {
    const name = parameters.find((parameter) => kebab(parameter.name) === flag)?.name ?? flag;
    if (input[name] !== undefined) {
      throw new ProductError('usage', `--${flag} is both set and unset; give only one of them.`);
    }
    input[name] = null;
  }
  return input;
}

/** `--tags ""` is the empty list. */
function withoutEmpty(value: unknown): unknown {
  return Array.isArray(value) ? value.filter((item) => item !== '') : value;
}
