// What nft is told of leased addresses, as text. What it makes of it: held-sets.net.test.ts.
import { expect, test } from 'vitest';
import { heldLine } from './held-sets.ts';

const six = 'inet powernode pn_held6';
const four = 'inet powernode pn_held4';

test('an address is taken out before it is put in with its new time, each family in its own set', () => {
  const until = new Map([
    ['fd00:99::a', 1_400.7],
    ['fd00:99::b', 1_001],
    ['100.64.0.9', 1_050],
  ]);
  expect(heldLine(until, 1_000)).toBe(
    [
      `add element ${six} { fd00:99::a, fd00:99::b }`,
      `delete element ${six} { fd00:99::a, fd00:99::b }`,
      `add element ${six} { fd00:99::a timeout 400ms, fd00:99::b timeout 1ms }`,
      `add element ${four} { 100.64.0.9 }`,
      `delete element ${four} { 100.64.0.9 }`,
      `add element ${four} { 100.64.0.9 timeout 50ms }`,
    ].join('; '),
  );
});

test('what is over by now, or in less than a millisecond, is only taken out', () => {
  const until = new Map([
    ['fd00:99::a', 1_000.9],
    ['fd00:99::b', 900],
    ['fd00:99::c', 1_002],
  ]);
  expect(heldLine(until, 1_000)).toBe(
    [
      `add element ${six} { fd00:99::a, fd00:99::b, fd00:99::c }`,
      `delete element ${six} { fd00:99::a, fd00:99::b, fd00:99::c }`,
      `add element ${six} { fd00:99::c timeout 2ms }`,
    ].join('; '),
  );
  expect(heldLine(new Map([['100.64.0.9', 5]]), 1_000)).toBe(
    `add element ${four} { 100.64.0.9 }; delete element ${four} { 100.64.0.9 }`,
  );
});
