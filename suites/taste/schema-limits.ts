// Finds the parts of a zod schema that have no limit: text, lists and numbers that whoever fills them may make as large
// as a frame or a body can hold. A regular expression does not count as a limit, because its length cannot be read.
import { openObjects } from '@powernode/core/wire/open-object';
import type { z } from 'zod';

export type Def = z.core.$ZodTypeDef & Readonly<Record<string, unknown>>;
export type Schema = z.core.$ZodType;

/** Each as `path: what is missing`. */
export function unlimitedParts(schema: Schema): string[] {
  const found: string[] = [];
  walk(schema, '', { found, open: new Set() });
  return found;
}

interface Walk {
  readonly found: string[];
  /** Schemas on the way down, so that one that contains itself ends the walk. */
  readonly open: Set<Schema>;
}

function walk(schema: Schema, path: string, state: Walk): void {
  if (state.open.has(schema)) return;
  state.open.add(schema);
  const missing = missingIn(schema);
  if (missing !== null) state.found.push(`${path === '' ? '(whole)' : path}: ${missing}`);
  for (const [step, inner] of innerOf(schema._zod.def as Def)) walk(inner, `${path}${step}`, state);
  state.open.delete(schema);
}

/** Types whose values are limited by themselves, or by what is inside them. */
const limited = new Set([
  'boolean',
  'null',
  'undefined',
  'void',
  'never',
  'nan',
  'literal',
  'enum',
  'optional',
  'nullable',
  'default',
  'prefault',
  'nonoptional',
  'readonly',
  'catch',
  'pipe',
  'transform',
  'union',
  'intersection',
  'tuple',
  'lazy',
]);

function missingIn(schema: Schema): string | null {
  const def = schema._zod.def as Def;
  const checks = (def.checks ?? []).map((check) => check._zod.def.check);
  switch (def.type) {
    case 'string':
      return checks.some((check) => lengthChecks.has(check)) ? null : 'text without .max()';
    case 'array':
    case 'set':
    case 'map':
      return checks.some((check) => lengthChecks.has(check)) ? null : `${def.type} without .max()`;
    case 'number':
    case 'bigint':
      // By its own checks: the safe range, which every integer has, is no thought about a field.
      return checks.includes('greater_than') && checks.includes('less_than')
        ? null
        : `${def.type} without .min() and .max()`;
    case 'object':
      // Others than these keep no member that they do not name.
      return isClosed(def) || openObjects.get(schema) !== undefined ? null : 'object that takes any member';
    case 'record':
      return (def['keyType'] as Schema)._zod.def.type === 'enum' ? null : 'record of any number of members';
    default:
      return limited.has(def.type) ? null : `${def.type}, which takes anything`;
  }
}

const lengthChecks = new Set(['max_length', 'length_equals', 'max_size', 'size_equals']);

/** Unknown members are refused or left out, and not kept. */
function isClosed(def: Def): boolean {
  const catchall = def['catchall'] as Schema | undefined;
  return catchall === undefined || catchall._zod.def.type === 'never';
}

/** What a schema consists of, one step down; a step is `.member`, `[]` or empty. */
export function innerOf(def: Def): [step: string, schema: Schema][] {
  const at = (key: string) => def[key] as Schema;
  switch (def.type as string) {
    case 'object':
      return Object.entries(def['shape'] as Record<string, Schema>).map(([key, one]) => [`.${key}`, one]);
    case 'array':
      return [['[]', at('element')]];
    case 'set':
      return [['[]', at('valueType')]];
    case 'map':
    case 'record':
      return [
        ['{key}', at('keyType')],
        ['{}', at('valueType')],
      ];
    case 'tuple': {
      const items = (def['items'] as Schema[]).map((one, i): [string, Schema] => [`[${i}]`, one]);
      return def['rest'] == null ? items : [...items, ['[…]', at('rest')]];
    }
    case 'union':
      return (def['options'] as Schema[]).map((one) => [variantOf(one), one]);
    case 'intersection':
      return [
        ['', at('left')],
        ['', at('right')],
      ];
    case 'pipe':
      return [['', at('in')]];
    case 'lazy':
      return [['', (def['getter'] as () => Schema)()]];
    default:
      return def['innerType'] === undefined ? [] : [['', at('innerType')]];
  }
}

/** Names one of several alternatives by its literal `kind`, when it has one. */
function variantOf(schema: Schema): string {
  const shape = (schema._zod.def as Def)['shape'] as Record<string, Schema> | undefined;
  for (const one of Object.values(shape ?? {})) {
    const def = one._zod.def as Def;
    if (def.type === 'literal') return `<${String((def['values'] as unknown[])[0])}>`;
  }
  return '';
}
