// Listings that were interrupted are made again, while there is somebody to ask.
import { expect, test } from 'vitest';
import type { Outcome } from '../stage/run.ts';
import { wholeListing } from './dump.ts';

const whole: Outcome = { exitCode: 0, stdout: '[1, 2]', stderr: '' };
const interrupted: Outcome = {
  exitCode: 0,
  stdout: '[1]',
  stderr: 'Dump was interrupted and may be inconsistent.\n',
};
const failed: Outcome = { exitCode: 1, stdout: '', stderr: 'Device "wg-x" does not exist.\n' };

function listing(outcomes: readonly Outcome[], lives: (looks: number) => boolean = () => true) {
  let looks = 0;
  return {
    node: 'pub1',
    holder: () => (lives(looks) ? { pid: 7 } : null),
    list: async () => outcomes[looks++] ?? outcomes.at(-1) ?? whole,
  };
}

test('what was interrupted or failed is listed again', async () => {
  expect(await wholeListing(listing([interrupted, failed, whole]))).toBe('[1, 2]');
});

test('a node that goes off meanwhile has nothing', async () => {
  expect(await wholeListing(listing([failed], (looks) => looks < 2))).toBeNull();
});

test('what never becomes whole is an error that says what was said', async () => {
  await expect(wholeListing(listing([failed]))).rejects.toThrow(
    'pub1 has, 20 times: Device "wg-x" does not exist.',
  );
});
