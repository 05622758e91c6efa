// What cannot be stored is tried again, told, and not asked of the disk more often than that.
import { ProductError } from '@powernode/core/errors';
import { agentStateRetryMs } from '@powernode/core/limits/agent';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import { UnstoredState } from './unstored.ts';

let clock: FakeClock;
let isFull: boolean;
let written: string[];
let tries: number;
let told: string[];
let unstored: UnstoredState;

beforeEach(() => {
  clock = new FakeClock();
  isFull = true;
  written = [];
  tries = 0;
  told = [];
  const problems = {
    set: (_source: string, found: readonly { readonly detail: string }[]) => {
      told.push(/Not stored: (.*);/.exec(found[0]?.detail ?? '')?.[1] ?? '');
    },
  };
  unstored = new UnstoredState({ clock, problems, log: { info: () => undefined, error: () => undefined } });
});

const write = (text: string) => () => {
  tries++;
  if (isFull) throw new ProductError('invalid_configuration', 'ENOSPC');
  written.push(text);
};

test('the newest of each is stored as soon as there is room, and that is told [9.32]', async () => {
  unstored.attempt('document', write('one'));
  unstored.attempt('keys', write('key'));
  unstored.attempt('document', write('two'));
  expect(tries).toBe(2);
  expect(told).toEqual(['document', 'document, keys']);
  await clock.advance(agentStateRetryMs);
  expect(written).toEqual([]);
  isFull = false;
  await clock.advance(agentStateRetryMs);
  expect(written).toEqual(['two', 'key']);
  expect(told.at(-1)).toBe('');
  tries = 0;
  await clock.advance(10 * agentStateRetryMs);
  expect(tries).toBe(0);
});

test('a write that works is done at once, and an error of the agent itself is not hidden [9.32]', () => {
  isFull = false;
  unstored.attempt('document', write('one'));
  expect(written).toEqual(['one']);
  expect(told).toEqual([]);
  expect(() =>
    unstored.attempt('document', () => {
      throw new TypeError('bug');
    }),
  ).toThrow(TypeError);
});
