// What is counted for a rule, when elements come, go, and begin at zero.
import { expect, test } from 'vitest';
import type { Count } from './listing.ts';
import { newsOfRules, type RuleCount, RuleCounters } from './rule-counters.ts';

function count(ruleId: string, key: string, packets: number): Count {
  return { set: 'pn_in_test_drop_host_any_any6', key, ruleId, packets, bytes: packets * 100 };
}

function packetsOf(counters: RuleCounters): Record<string, number> {
  return Object.fromEntries([...counters.totals].map(([id, { packets }]) => [id, packets]));
}

test('what was counted before this process came is not its own', () => {
  const counters = new RuleCounters();
  counters.take([count('a', 'fd00::1', 50)]);
  expect(packetsOf(counters)).toEqual({ a: 0 });
  counters.take([count('a', 'fd00::1', 52)]);
  expect(packetsOf(counters)).toEqual({ a: 2 });
});

test('all elements of a rule count for it, whatever becomes of them', () => {
  const counters = new RuleCounters();
  counters.beganAnew();
  counters.take([count('a', 'fd00::1', 3), count('a', 'fd00::2', 4), count('b', 'fd00::3', 1)]);
  expect(packetsOf(counters)).toEqual({ a: 7, b: 1 });
  // One is gone, one was taken out and put in again, one is another rule's now, which has none left.
  counters.take([count('a', 'fd00::2', 2), count('a', 'fd00::3', 5)]);
  expect(packetsOf(counters)).toEqual({ a: 14 });
  counters.beganAnew();
  counters.take([count('a', 'fd00::2', 2)]);
  expect(packetsOf(counters)).toEqual({ a: 16 });
  expect(counters.totals.get('a')?.bytes).toBe(1600);
});

test('only news is told', () => {
  const told = new Map<string, RuleCount>();
  const counters = new RuleCounters();
  counters.beganAnew();
  counters.take([count('a', 'fd00::1', 3), count('b', 'fd00::2', 0)]);
  expect(newsOfRules(counters.totals, told)).toEqual([
    { rule_id: 'a', packets: 3, bytes: 300 },
    { rule_id: 'b', packets: 0, bytes: 0 },
  ]);
  expect(newsOfRules(counters.totals, told)).toEqual([]);
  counters.take([count('a', 'fd00::1', 4), count('b', 'fd00::2', 0)]);
  expect(newsOfRules(counters.totals, told)).toEqual([{ rule_id: 'a', packets: 4, bytes: 400 }]);
  counters.take([count('b', 'fd00::2', 0)]);
  expect(newsOfRules(counters.totals, told)).toEqual([{ rule_id: 'a', packets: 0, bytes: 0 }]);
  expect(newsOfRules(counters.totals, told)).toEqual([]);
  expect(newsOfRules(counters.totals, new Map())).toEqual([{ rule_id: 'b', packets: 0, bytes: 0 }]);
});
