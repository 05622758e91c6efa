// Budgets of machines by a clock of the test: what is honest is within them, what is not is over them, and pauses double.
import * as agentLimits from '@powernode/core/limits/agent';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import * as overlayLimits from '@powernode/core/limits/overlay';
import { beforeEach, expect, test } from 'vitest';
import { KeyedBuckets } from '../../trust/token-bucket.ts';
import { StreamBudget } from './budget.ts';

let nowMs = 0;
let budget: StreamBudget;

beforeEach(() => {
  nowMs = 1_000_000;
  budget = new StreamBudget(() => nowMs);
});

test('the reports of a hub with all the peers that a network may have are within the budget [9.6]', () => {
  // Three hellos with everything in a row, then counters of all tunnels again and again.
  const reportBytes = overlayLimits.peersPerNetworkMax * 230;
  const frames = Math.ceil(overlayLimits.peersPerNetworkMax / agentLimits.agentTunnelsPerFrameMax);
  const exceeded: unknown[] = [];
  const report = () => {
    exceeded.push(budget.bytes(reportBytes));
    for (let i = 0; i < frames; i++) exceeded.push(budget.frame(), budget.worked(60));
  };
  for (let i = 0; i < 3; i++) report();
  for (let i = 0; i < 100; i++) {
    nowMs += agentLimits.agentCountersMs;
    report();
  }
  expect(exceeded.filter((one) => one !== null)).toEqual([]);
});

test('each measure is used up by its burst, and comes back with time [9.6]', () => {
  for (let i = 0; i < nodeStreamLimits.streamFrames.burst; i++) expect(budget.frame()).toBeNull();
  expect(budget.frame()).toBe('frames');
  nowMs += 2000;
  expect(budget.frame()).toBeNull();
  expect(budget.bytes(nodeStreamLimits.streamBytes.burst + 1)).toBe('bytes');
  expect(budget.worked(nodeStreamLimits.streamWorkMs.burst + 1)).toBe('processor time');
});

test('pauses double up to their ceiling, and a long calm makes the next one a first one [9.6]', () => {
  expect(budget.waitMs()).toBe(0);
  expect(budget.exceeded()).toBe(nodeStreamLimits.streamPauseFirstMs);
  expect(budget.waitMs()).toBe(nodeStreamLimits.streamPauseFirstMs);
  nowMs += nodeStreamLimits.streamPauseFirstMs;
  expect(budget.waitMs()).toBe(0);
  expect(budget.exceeded()).toBe(2 * nodeStreamLimits.streamPauseFirstMs);
  for (let i = 0; i < 20; i++) budget.exceeded();
  expect(budget.waitMs()).toBe(nodeStreamLimits.streamPauseMaxMs);
  nowMs += nodeStreamLimits.streamPauseMaxMs + nodeStreamLimits.streamCalmMs;
  expect(budget.exceeded()).toBe(nodeStreamLimits.streamPauseFirstMs);
});

test('of more keys than are kept the one used longest ago begins anew, and others keep what they used [9.6]', () => {
  const buckets = new KeyedBuckets({ burst: 1, perSecond: 0 }, 2);
  expect(buckets.tryTake('a', 1, nowMs)).toBe(true);
  expect(buckets.tryTake('b', 1, nowMs)).toBe(true);
  expect(buckets.tryTake('a', 1, nowMs)).toBe(false);
  expect(buckets.tryTake('c', 1, nowMs)).toBe(true);
  expect(buckets.tryTake('a', 1, nowMs)).toBe(false);
  expect(buckets.tryTake('b', 1, nowMs)).toBe(true);
});
