// The order of subsystems, and that each kind of step is one's alone.
import { nodeProblemTable } from '@powernode/core/wire/node-problems';
import { expect, test } from 'vitest';
import { describeStep, inOrder, subsystemOf, subsystems } from './registry.ts';
import type { Subsystem } from './subsystem.ts';

const named = (name: string, ...after: string[]) => ({ name, after }) as unknown as Subsystem;

test('a subsystem comes behind all those that it says come before it', () => {
  for (const [place, { after }] of subsystems.entries()) {
    const earlier = subsystems.slice(0, place).map(({ name }) => name);
    expect(earlier).toEqual(expect.arrayContaining([...after]));
  }
  expect(subsystems.map(({ name }) => name).indexOf('nftables')).toBe(0);
  expect(inOrder([named('c', 'b'), named('b', 'a'), named('a')]).map(({ name }) => name)).toEqual([
    'a',
    'b',
    'c',
  ]);
});

test('one that waits for itself, or for one that is not listed, is refused', () => {
  expect(() => inOrder([named('a', 'b'), named('b', 'a')])).toThrow('wait for each other');
  expect(() => inOrder([named('a', 'c')])).toThrow('not listed');
});

test('each kind of step is one subsystem’s', () => {
  const kinds = subsystems.flatMap((one) => one.kinds);
  expect(new Set(kinds).size).toBe(kinds.length);
  const step = { kind: 'set_link', name: 'wg-a', mtu: 1420 } as const;
  expect(subsystemOf(step).name).toBe('addresses');
  expect(describeStep(step)).toEqual({
    key: 'interface/wg-a',
    interface: 'wg-a',
    drift: 'interface wg-a was down or had another MTU',
    failure: 'Interface wg-a could not be brought up',
  });
});

test('the code of a subsystem’s failures is reported under the same name as the subsystem', () => {
  for (const { reported } of subsystems) {
    expect(nodeProblemTable[reported.code].subsystem).toBe(reported.as);
  }
});
