// Tables and objects: every chosen column exists, and inner lists are shown.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { type JsonSchema, jsonSchemaOf } from '@powernode/core/actions/json-schema';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { showAnswer } from './answer.ts';
import { objectText } from './object.ts';
import { table } from './table.ts';

test('every list has columns, and each is in the schema of its rows', () => {
  const chosen = actionKeys.flatMap((key) => Object.entries(definitionOf(key).columns));
  const columnsOf = new Map(chosen);
  const lists = actionKeys.flatMap((key) =>
    Object.entries(definitionOf(key).output).map(
      ([list, schema]) => [list, schema, definitionOf(key).columns[list]] as const,
    ),
  );
  for (const [list, schema, own] of lists) {
    if (!(schema instanceof z.ZodArray) || !(schema.element instanceof z.ZodObject)) continue;
    const json = jsonSchemaOf(schema.element, 'output');
    const columns = own ?? columnsOf.get(list) ?? [];
    expect(columns, list).not.toEqual([]);
    for (const column of columns) expect(propertyAt(json, column), `${list}.${column}`).toBeDefined();
  }
});

function propertyAt(schema: JsonSchema, path: string): unknown {
  return path
    .split('.')
    .reduce<JsonSchema | undefined>(
      (at, name) => (present(at)?.['properties'] as Record<string, JsonSchema>)?.[name],
      schema,
    );
}

/** Of what may be null: the other. */
function present(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema?.anyOf?.find((one) => one['type'] !== 'null') ?? schema;
}

test('of several lists of one name, the columns are those that the rows have', () => {
  const finding = { kind: 'dead', severity: 'warning', object: { name: 'web' }, detail: 'd' };
  const [header] = table('findings', [finding], undefined).split('\n');
  expect(header?.split(/ +/)).toEqual(['KIND', 'SEVERITY', 'OBJECT', 'DETAIL']);
  const began = { ...finding, began_at: '2026-01-01T00:00:00Z', recovered_at: null };
  expect(table('findings', [began], undefined)).toContain('BEGAN AT');
});

test('a list without chosen columns shows what is its own', () => {
  const rows = [{ account_id: 'x', revision: 1, colour: 'red', parts: { a: 1 } }];
  expect(table('things', rows, undefined)).toBe('COLOUR\nred\n');
});

test('lists inside an object are tables after it', () => {
  const subsystems = [{ name: 'wireguard', state: 'ok', message: '', observed_at: 't' }];
  const actor = { kind: 'operator', name: 'Ada' };
  expect(objectText({ id: '1', actor, tags: ['a', 'b'], subsystems }, { columns: 80 })).toBe(`id          1
actor kind  operator
actor name  Ada
tags        a, b

subsystems
NAME       STATE  MESSAGE  OBSERVED AT
wireguard  ok     -        t
`);
});

test('a text of several lines stands below, and nothing in it moves the cursor', () => {
  const compiled = 'chain in {\n\taccept\u001b[2J\n}\n';
  expect(objectText({ compiled, id: '1' }, { columns: 80 })).toBe(`id  1

compiled
  chain in {
    accept\u{fffd}[2J
  }
`);
});

test('who reaches whom is shown as rows and columns', () => {
  const matrix = {
    network_id: 'n',
    protocol: 'tcp',
    port: 22,
    nodes: [
      { kind: 'peer', id: '1', name: 'hub' },
      { kind: 'peer', id: '2', name: 'server' },
    ],
    rows: [
      { id: '1', verdicts: '-d' },
      { id: '2', verdicts: 'a-' },
    ],
    truncated: false,
  };
  expect(showAnswer({ matrix }, { columns: 80 })).toBe(`           1 2
1  hub     - d
2  server  a -

From rows to columns by tcp port 22: a allowed, d denied, n no route, u allowed but unreachable, - itself.
`);
});

test('a virtual IP is a column with a number and a name, as nobody sends from it', () => {
  const peers = Array.from({ length: 9 }, (_, i) => ({ kind: 'peer', id: String(i + 1), name: `p${i + 1}` }));
  const matrix = {
    network_id: 'n',
    protocol: 'icmp6',
    port: null,
    nodes: [...peers, { kind: 'virtual_ip', id: '10', name: 'web' }],
    rows: peers.map(({ id }, i) => ({ id, verdicts: `${'a'.repeat(i)}-${'a'.repeat(8 - i)}d` })),
    truncated: true,
  };
  const lines = showAnswer({ matrix }, { columns: 80 }).split('\n');
  expect(lines[0]).toBe('          1  2  3  4  5  6  7  8  9 10');
  expect(lines[1]).toBe(' 1  p1    -  a  a  a  a  a  a  a  a  d');
  expect(lines.slice(10)).toEqual([
    '10  web',
    '',
    'From rows to columns by icmp6: a allowed, d denied, n no route, u allowed but unreachable, - itself.',
    'Not all are shown.',
    '',
  ]);
});

test('who asks for what is shown once is told how to fetch it when it waits [9.2]', () => {
  const waiting = (action: string) =>
    showAnswer(
      {
        pending: true,
        deferred_operation: {
          id: 'the-id',
          action,
          summary: 'Something',
          expires_at: '2026-11-29T20:00:00Z',
        },
      },
      { columns: 80 },
    );
  expect(waiting('system_create_join_token')).toContain('  powernode approval get the-id\n');
  expect(waiting('system_sdwan_delete_network')).not.toContain('approval get');
});
