// Values that a schema allows, and values that it does not say anything about.
import fc from 'fast-check';
import type { Schema } from './operations.ts';

/** Mostly what the schema allows; a tenth is of any other kind. */
export function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: fitting(schema) }, { weight: 1, arbitrary: anything });
}

const text = (schema: Schema) =>
  fc.string({
    unit: 'grapheme',
    minLength: schema.minLength ?? 0,
    maxLength: Math.min(schema.maxLength ?? 40, 40),
  });

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    null,
    '',
    '\0',
    '../..',
    "' or 1=1 --",
    -1,
    2 ** 53,
    1e308,
    [],
    {},
    'a'.repeat(3000),
  ),
);

const formats: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  uuid: fc.uuid(),
  'date-time': fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6(),
};

function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined)
    return fc.oneof(...choices.map((one) => valueOf({ type: schema.type ?? 'string', ...one })));
  const types = [schema.type ?? 'object'].flat();
  return fc.oneof(...types.map((type) => ofType(type, schema)));
}

function ofType(type: string, schema: Schema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 });
    case 'array':
      return fc.array(schema.items === undefined ? anything : valueOf(schema.items), { maxLength: 3 });
    case 'string':
      return textOf(schema);
    default:
      return objectOf(schema);
  }
}

function textOf(schema: Schema): fc.Arbitrary<unknown> {
  const known = schema.format === undefined ? undefined : formats[schema.format];
  if (known !== undefined) return known;
  if (schema.pattern === undefined) return text(schema);
  return fc.oneof(fc.stringMatching(new RegExp(schema.pattern)), text(schema));
}

export function objectOf(schema: Schema): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, property]) => [name, valueOf(property)] as const,
  );
  const required = (schema.required ?? []).filter((name) => members.some(([member]) => member === name));
  return fc.record(Object.fromEntries(members), { requiredKeys: required });
}
