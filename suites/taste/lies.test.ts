// The machine that lies (packages/platform/testing/lies.fixture.ts) does so in every field of the protocol: the schemas of
// what a node sends are walked beside what it sends, so that a new field fails here until there are lies for it.

import { seededRandom } from '@powernode/core/testing/random';
import { nodeMessage } from '@powernode/core/wire/node-stream';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { knowledgeOf, Liar } from '../../packages/platform/testing/lies.fixture.ts';
import { type Def, innerOf, type Schema } from './schema-limits.ts';

const seed = Date.now() % 2 ** 31;
const frames = 3000;

/** Members that none of the values fills with more than one thing, as `path: what is missing`. */
function unfilled(schema: Schema, values: readonly unknown[], path: string): string[] {
  const def = schema._zod.def as Def;
  const there = values.filter((value) => value !== undefined && value !== null);
  if (there.length === 0) return [`${path}: nothing`];
  const into = (step: string, inner: Schema, from: readonly unknown[]) => unfilled(inner, from, path + step);
  const inner = innerOf(def);
  switch (def.type) {
    case 'object':
      return inner.flatMap(([step, one]) => {
        const member = step.slice(1);
        return into(
          step,
          one,
          there.map((value) => (value as Record<string, unknown>)[member]),
        );
      });
    case 'array':
      return inner.flatMap(([step, one]) => into(step, one, there.flat()));
    case 'union':
      return inner.flatMap(([step, one]) =>
        into(
          step,
          one,
          there.filter((value) => z.safeParse(one, value).success),
        ),
      );
    case 'nullable': {
      const found = inner.flatMap(([step, one]) => into(step, one, there));
      return values.includes(null) ? found : [...found, `${path}: null`];
    }
    case 'enum':
      return missing(Object.values(def['entries'] as Record<string, string>), there, path);
    case 'literal':
      return missing(def['values'] as unknown[], there, path);
    case 'boolean':
      return missing([true, false], there, path);
    case 'string':
    case 'number':
      return new Set(there).size > 1 ? [] : [`${path}: another one than ${JSON.stringify(there[0])}`];
    default:
      if (inner.length === 0) throw new Error(`${path} is ${def.type}, which this test cannot look into`);
      return inner.flatMap(([step, one]) =>
        into(
          step,
          one,
          values.filter((value) => value !== undefined),
        ),
      );
  }
}

function missing(wanted: readonly unknown[], values: readonly unknown[], path: string): string[] {
  return wanted.filter((one) => !values.includes(one)).map((one) => `${path}: ${JSON.stringify(one)}`);
}

/** Of what the machine sends, what the platform would read and not refuse. */
function told(): unknown[] {
  const uuid = () => crypto.randomUUID();
  const known = {
    ...knowledgeOf([], { revision: 7, hash: 'a'.repeat(32) }),
    networks: [uuid(), uuid()],
    interfaces: ['wg-town', 'wg-town-1'],
    addresses: ['fd12::1/128', '100.64.0.1/32'],
  };
  const liar = new Liar(seededRandom(seed), known);
  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  const all = Array.from({ length: frames }, () => parsed(liar.next()));
  all.push(...Array.from({ length: frames / 10 }, () => liar.hello(uuid())));
  return all.filter((one) => nodeMessage.safeParse(one).success);
}

const lies = told();

test('every member of every message of a node is filled with lies [9.6]', () => {
  expect(unfilled(nodeMessage, lies, ''), `seed ${seed}`).toEqual([]);
});

test('a member that is never sent, never null or never another one is found', () => {
  const schema = z.object({
    kind: z.literal('paths'),
    peers: z.array(z.object({ peer_id: z.string(), alive: z.boolean(), never: z.int().optional() })),
    cause: z.enum(['a', 'b']).nullable(),
  });
  const values = [
    { kind: 'paths', peers: [{ peer_id: 'x', alive: true }], cause: 'a' },
    { kind: 'paths', peers: [{ peer_id: 'x', alive: true }], cause: 'a' },
  ];
  expect(unfilled(schema, values, '')).toEqual([
    '.peers[].peer_id: another one than "x"',
    '.peers[].alive: false',
    '.peers[].never: nothing',
    '.cause: "b"',
    '.cause: null',
  ]);
});
