// No sentence of the schema library reaches whoever sent the parameters, whatever is wrong with them.
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { actionKeys, definitionOf } from './actions/catalogue.ts';
import { inputOf } from './actions/define.ts';
import { fieldProblems, validationMessage } from './validation.ts';

const said = (schema: z.ZodType, value: unknown) => {
  const parsed = schema.safeParse(value, { error: validationMessage });
  return parsed.success ? [] : fieldProblems(parsed.error, 'is not a parameter of this action');
};
const messageOf = (schema: z.ZodType, value: unknown) =>
  said(z.object({ a: schema }), { a: value })[0]?.message;

describe('a validation error says what is accepted', () => {
  it.each([
    [z.string(), 1, 'must be a string'],
    [z.number(), 'x', 'must be a number'],
    [z.int(), 1.5, 'must be a whole number'],
    [z.boolean(), 'x', 'must be true or false'],
    [z.array(z.string()), 'x', 'must be a list'],
    [z.object({}), 'x', 'must be an object'],
    [z.string().min(1), '', 'must not be empty'],
    [z.string().min(2), 'x', 'must have at least 2 characters'],
    [z.string().max(1), 'xx', 'must have at most 1 character'],
    [z.array(z.string()).max(1), ['x', 'y'], 'must have at most 1 entry'],
    [z.int().min(1), 0, 'must be at least 1'],
    [z.number().gt(1), 1, 'must be more than 1'],
    [z.int().max(65_535), 65_536, 'must be at most 65535'],
    [z.enum(['tcp', 'udp']), 'sctp', 'must be tcp or udp'],
    [z.enum(['tcp', 'udp', 'any']), 'sctp', 'must be one of tcp, udp, any'],
    [z.uuid(), 'x', 'must be a UUID, such as 01980000-0000-7000-8000-000000000001'],
    [z.union([z.string(), z.int()]), true, 'must be a string or must be a number'],
    [z.string().regex(/^x$/, 'must be an x'), 'y', 'must be an x'],
    [z.string().regex(/^x$/), 'y', 'must be in the documented format'],
  ])('%#: %s', (schema, value, message) => {
    expect(messageOf(schema, value)).toBe(message);
  });

  it('names what is missing and what is unknown, each by its path', () => {
    const schema = z.strictObject({ name: z.string(), side: z.strictObject({ kind: z.string() }) });
    expect(said(schema, { side: { kind: 'all', tag: 'x' }, prefx: 1 })).toEqual([
      { path: 'name', code: 'missing', message: 'is required' },
      { path: 'side.tag', code: 'unknown_parameter', message: 'is not a parameter of this action' },
      { path: 'prefx', code: 'unknown_parameter', message: 'is not a parameter of this action' },
    ]);
  });
});

const wrong = [
  undefined,
  null,
  true,
  -1,
  1e9,
  1.5,
  '',
  '\u0000',
  'x'.repeat(10_000),
  [],
  [{}],
  {},
  { kind: 'x' },
];

test.each(actionKeys)('%s: no parameter is refused in the words of the schema library', (key) => {
  const schema = inputOf(definitionOf(key));
  for (const name of Object.keys(schema.shape)) {
    for (const value of wrong) {
      for (const { path, message } of said(schema, { [name]: value, surplus: value })) {
        expect(message, `${path}: ${JSON.stringify(value)}`).not.toMatch(
          /^(Invalid|Too (small|big)|Unrecognized)|\bexpected\b|\breceived\b/,
        );
        expect(message).not.toMatch(/of a different type|^is not accepted$|in the documented format/);
      }
    }
  }
});
