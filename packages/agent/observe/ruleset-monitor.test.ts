// When deleted rules are noticed, and what is taken for the agent's own doing.
import { agentRulesetMonitorAgainMs, agentRulesetQuietMs } from '@powernode/core/limits/agent';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import type { Run } from '../ports/run.ts';
import { RulesetMonitor } from './ruleset-monitor.ts';

let clock: FakeClock;
let line: (text: string) => void;
let ended: (why: string) => void;
let started: number;
let noticed: string[];
let monitor: RulesetMonitor;

beforeEach(() => {
  clock = new FakeClock();
  started = 0;
  noticed = [];
  const run: Pick<Run, 'follow'> = {
    follow: (_command, on) => {
      started++;
      ({ line, ended } = on);
      return { stop: () => undefined };
    },
  };
  monitor = new RulesetMonitor({
    run: run as Run,
    clock,
    ownDeleted: () => noticed.push('own'),
    otherDeleted: () => noticed.push('other'),
  });
  monitor.start();
});

const own = 'delete rule inet powernode pn_forward handle 4';

test('rules of the table are noticed at once, and many of them once [9.36]', async () => {
  for (let i = 0; i < 100; i++) line(own);
  expect(noticed).toEqual(['own']);
  await clock.advance(agentRulesetQuietMs);
  // And once more afterwards, for what may have been deleted meanwhile.
  expect(noticed).toEqual(['own', 'own']);
});

test('what the agent deletes itself is looked at after it has written, and not in between [9.36]', async () => {
  monitor.writing();
  line(own);
  monitor.written();
  line(own);
  expect(noticed).toEqual([]);
  await clock.advance(agentRulesetQuietMs);
  expect(noticed).toEqual(['own']);
  line(own);
  expect(noticed).toEqual(['own', 'own']);
});

test('rules of others are another matter, and what is no deletion is none [9.36]', async () => {
  line('delete rule inet powernode2 x handle 1');
  line('delete rule ip filter FORWARD handle 7');
  line('# new generation 6 by process 1 (nft)');
  line('delete set inet powernode x');
  expect(noticed).toEqual([]);
  await clock.advance(agentRulesetMonitorAgainMs);
  expect(noticed).toEqual(['other']);
});

test('a monitor that ends is started again, and what it may have missed is looked at [9.36]', async () => {
  ended('exit code 1');
  await clock.advance(agentRulesetMonitorAgainMs);
  expect(started).toBe(2);
  expect(noticed).toEqual(['own']);
  monitor.stop();
  ended('SIGTERM');
  await clock.advance(10 * agentRulesetMonitorAgainMs);
  expect(started).toBe(2);
});
