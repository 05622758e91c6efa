// What is gathered is written together; what the database cannot store now waits; what it never stores does not affect
// other nodes.
import { ProductError } from '@powernode/core/errors';
import { reportRetryMs } from '@powernode/core/limits/node-stream';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { NodeBatch } from './node-batch.ts';

let clock: SimulatedClock;
let written: string[][];
let failure: (nodes: readonly NodeState[]) => Error | null;
let batch: NodeBatch;

function node(instanceId: string, accountId = 'a'): NodeState {
  return nodeState({ instanceId, accountId });
}

beforeEach(() => {
  clock = new SimulatedClock();
  written = [];
  failure = () => null;
  batch = new NodeBatch({
    clock,
    log: pino({ level: 'silent' }),
    what: 'test',
    delayMs: 100,
    write: async (accountId, nodes) => {
      const error = failure(nodes);
      if (error !== null) throw error;
      written.push([accountId, ...nodes.map((one) => one.instanceId)]);
    },
  });
});

test('a node that is added often is written once, and accounts apart', async () => {
  const [one, two, other] = [node('1'), node('2'), node('3', 'b')];
  for (const each of [one, two, one, other, one]) batch.add(each);
  await clock.advance(99);
  expect(written).toEqual([]);
  await clock.advance(1);
  expect(written).toEqual([
    ['a', '1', '2'],
    ['b', '3'],
  ]);
});

test('what the database cannot store now is written later', async () => {
  failure = () => new ProductError('database_unavailable', 'away');
  batch.add(node('1'));
  await clock.advance(100);
  batch.add(node('2'));
  failure = () => null;
  await clock.advance(reportRetryMs);
  expect(written).toEqual([['a', '1', '2']]);
});

test('what the database refuses is left out, and the others are written', async () => {
  failure = (nodes) => (nodes.some((one) => one.instanceId === '4') ? new Error('no text') : null);
  for (const id of ['1', '2', '3', '4', '5', '6', '7']) batch.add(node(id));
  await batch.flush();
  expect(written.flatMap(([, ...ids]) => ids)).toEqual(['1', '2', '3', '5', '6', '7']);
});
