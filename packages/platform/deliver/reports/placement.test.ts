// When it is asked what follows for a machine: at once, and again where more may follow later.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import type { ObservedMachine } from './arrival.ts';
import { type OnObserved, Placement } from './placement.ts';

const machine: ObservedMachine = {
  accountId: 'a',
  instanceId: 'i',
  observedAddress: '203.0.113.9',
  publiclyReachable: true,
};

function placement(answers: (number | null)[]) {
  const clock = new SimulatedClock();
  const asked: string[] = [];
  const onObserved: OnObserved = async ({ observedAddress }) => {
    asked.push(observedAddress ?? '');
    return { change: null, againMs: answers.shift() ?? null };
  };
  const log = pino({ level: 'silent' });
  const made = new Placement({ clock, log, onObserved, changed: () => undefined });
  return { clock, asked, made };
}

test('a machine that stays where it is is looked at again when more may follow [9.7]', async () => {
  const { clock, asked, made } = placement([1_000, null]);
  made.add(machine);
  await clock.advance(999);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  expect(asked).toHaveLength(2);
  await clock.advance(10_000_000);
  expect(asked).toHaveLength(2);
});

test('what is seen meanwhile comes first, and nothing is looked at after the end [9.7]', async () => {
  const { clock, asked, made } = placement([1_000, 5_000]);
  made.add(machine);
  await clock.advance(500);
  made.add({ ...machine, observedAddress: '203.0.113.10' });
  await clock.advance(4_999);
  expect(asked).toEqual(['203.0.113.9', '203.0.113.10']);
  await made.close();
  await clock.advance(10_000_000);
  expect(asked).toHaveLength(2);
});
