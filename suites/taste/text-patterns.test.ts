// What the published schemas say of texts that the parser looks at more closely: a pattern or a format, so that whoever
// writes from the schema writes what is accepted.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { type JsonSchema, jsonSchemaOf } from '@powernode/core/actions/json-schema';
import { policyStatements } from '@powernode/core/intent/route-policy';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Def, innerOf, type Schema } from './schema-limits.ts';

/** Read by a function: refined, or turned into something else. */
function isJudged(schema: Schema): boolean {
  const def = schema._zod.def as Def;
  if (def.type === 'string') return (def.checks ?? []).some((check) => check._zod.def.check === 'custom');
  if (def.type !== 'pipe') return false;
  const [from, to] = [def['in'] as Schema, def['out'] as Schema];
  return from._zod.def.type === 'string' && to._zod.def.type === 'transform';
}

const says = (json: JsonSchema) =>
  ['pattern', 'format', 'anyOf', 'enum'].some((keyword) => json[keyword] !== undefined);

/** The path of each part that is evaluated and says nothing. */
function muteParts(schema: Schema, path: string, found: string[] = []): string[] {
  if (isJudged(schema) && !says(jsonSchemaOf(schema as z.ZodType, 'input'))) found.push(path);
  for (const [step, inner] of innerOf(schema._zod.def as Def)) muteParts(inner, path + step, found);
  return found;
}

test.each(actionKeys)('%s: each text that is evaluated has a pattern or a format [9.22]', (key) => {
  expect(muteParts(inputOf(definitionOf(key)), '')).toEqual([]);
});

test('a text that is evaluated and says nothing of it is found', () => {
  const schema = z.object({
    refined: z.string().refine(() => true),
    list: z.array(z.string().transform((text) => text.trim())),
    told: z
      .string()
      .refine(() => true)
      .meta({ pattern: 'a' })
      .optional(),
    short: z.string().max(3),
    matched: z.string().regex(/a/),
  });
  expect(muteParts(schema, '')).toEqual(['.refined', '.list[]']);
});

describe('the patterns of a route policy', () => {
  const json = z.toJSONSchema(policyStatements, { io: 'input' }) as JsonSchema;
  const statement = json.items as JsonSchema;
  const patternOf = (side: 'match' | 'set', member: string) => {
    const part = statement.properties?.[side]?.properties?.[member];
    const { pattern } = part?.anyOf?.find(({ type }) => type === 'string') ?? part ?? {};
    return new RegExp(pattern ?? '$^');
  };

  test.each([
    ['match', 'prefix', ['fd00:1::/64', '10.1.0.0/16', '::/0'], ['fd00:1::', '10.1.0.0/33', 'x']],
    ['match', 'community', ['65010:20', 'no-export 65010:20', ' blackhole '], ['', '65010', '0:1', 'x:1']],
    ['set', 'community', ['65010:20'], ['none']],
    ['match', 'as_path', ['_65001_', '^(65001|65002)$', '[^0-9]+'], ['', 'a', '\\d']],
    ['set', 'prepend', ['65001', '65001  65001 '], ['', '0', 'own', '65001,65001']],
  ] as const)('%s.%s', (side, member, right, wrong) => {
    const pattern = patternOf(side, member);
    const parses = (value: string) =>
      policyStatements.safeParse([{ seq: 1, action: 'permit', [side]: { [member]: value } }]).success;
    for (const value of right)
      expect([value, parses(value), pattern.test(value)]).toEqual([value, true, true]);
    for (const value of wrong)
      expect([value, parses(value), pattern.test(value)]).toEqual([value, false, false]);
  });
});
