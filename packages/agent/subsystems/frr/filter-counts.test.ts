// What bgpd 8.4.4 answers of its route-maps, as counts of what they refused.
import { expect, test } from 'vitest';
import { UnreadableAnswer } from './checks.ts';
import { readRefusedCounts } from './filter-counts.ts';

const rule = (type: 'permit' | 'deny', invoked: number) => ({
  ...{ sequenceNumber: 1, type, invoked, matchClauses: [], setClauses: [], action: 'Exit routemap' },
});
const map = (...rules: readonly object[]) => ({ invoked: 9, disabledOptimization: false, rules });

test('the last entry of each map counts, where it denies', () => {
  const answer = {
    BGP: {
      'pn-from4-a': map(rule('deny', 3)),
      'pn-from6-a': map(rule('permit', 5), rule('deny', 0)),
      'pn-in-a': map(rule('deny', 7), rule('permit', 1)),
      'pn-out-a': map(),
    },
  };
  expect(readRefusedCounts(answer)).toEqual(
    new Map([
      ['pn-from4-a', 3],
      ['pn-from6-a', 0],
    ]),
  );
  expect(readRefusedCounts({ BGP: {} })).toEqual(new Map());
});

test.each([
  ['no object', []],
  ['a count that is none', { BGP: { 'pn-from4-a': map({ type: 'deny', invoked: -1 }) } }],
  ['a map without a type', { BGP: { 'pn-from4-a': map({ invoked: 1 }) } }],
])('%s is unreadable', (_, answer) => {
  expect(() => readRefusedCounts(answer)).toThrow(UnreadableAnswer);
});
