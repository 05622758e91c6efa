// What the platform is told is wrong, when, and how often.
import {
  agentProblemsPauseMs,
  agentProblemsSettleMs,
  nodeProblemsMax,
} from '@powernode/core/limits/node-stream';
import { problems as frame, type NodeProblem } from '@powernode/core/wire/node-problems';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import { NodeProblems } from './problems.ts';

let clock: FakeClock;
let isOpen: boolean;
let sent: (readonly NodeProblem[])[];
let problems: NodeProblems;

beforeEach(() => {
  clock = new FakeClock();
  isOpen = true;
  sent = [];
  problems = new NodeProblems({ clock, isOpen: () => isOpen, send: (all) => sent.push(all) });
});

const codes = () => sent.map((all) => all.map(({ code }) => code).join());

test('hello is followed by the whole list, also an empty one', () => {
  problems.greet();
  problems.set('apply', [{ code: 'nftables_failed', detail: 'x' }]);
  problems.greet();
  expect(codes()).toEqual(['', 'nftables_failed']);
});

test('what begins and ends within a moment is not told', async () => {
  problems.greet();
  problems.set('apply', [{ code: 'nftables_failed', detail: 'x' }]);
  problems.set('apply', []);
  await clock.advance(agentProblemsPauseMs + agentProblemsSettleMs);
  expect(codes()).toEqual(['']);
});

test('reports have a pause between them, and the last state is told', async () => {
  problems.greet();
  for (let i = 0; i < 100; i++) {
    problems.set('apply', [{ code: 'nftables_failed', detail: `${i}` }]);
    await clock.advance(agentProblemsPauseMs / 10);
  }
  await clock.advance(agentProblemsPauseMs);
  expect(sent.length).toBeLessThanOrEqual(12);
  expect(sent.at(-1)?.[0]?.detail).toBe('99');
});

test('since when is kept while it lasts, whatever its detail, and the worst come first', async () => {
  problems.set('apply', [{ code: 'nftables_failed', detail: 'a' }]);
  const began = new Date(clock.nowMs()).toISOString();
  await clock.advance(5_000);
  problems.set('state', [{ code: 'state_not_stored', detail: 'full', networkId: 'n1' }]);
  problems.set('apply', [
    { code: 'nftables_failed', detail: 'b' },
    { code: 'port_in_use', detail: 'c', interface: 'wg-a' },
  ]);
  expect(problems.all.map(({ code, detail }) => `${code} ${detail}`)).toEqual([
    'nftables_failed b',
    'port_in_use c',
    'state_not_stored full',
  ]);
  expect(problems.all[0]?.since).toBe(began);
  await clock.advance(5_000);
  problems.set('apply', []);
  problems.set('apply', [{ code: 'nftables_failed', detail: 'again' }]);
  expect(problems.all.find(({ code }) => code === 'nftables_failed')?.since).not.toBe(began);
});

test('nothing is sent without a stream, and every report fits the protocol', async () => {
  isOpen = false;
  problems.set(
    'apply',
    Array.from({ length: 200 }, (_, i) => ({
      code: 'wireguard_failed' as const,
      detail: `line one\n\u0000${'😀'.repeat(400)}`,
      interface: `wg-${i}`,
    })),
  );
  await clock.advance(10_000);
  expect(sent).toEqual([]);
  problems.greet();
  expect(sent[0]).toHaveLength(nodeProblemsMax);
  expect(() => frame.parse({ kind: 'problems', problems: sent[0] })).not.toThrow();
});

test('two of one kind in one list are one problem with both sentences', () => {
  problems.set('apply', [
    { code: 'not_converging', detail: 'The rules differ.' },
    { code: 'not_converging', detail: 'A route differs.' },
    { code: 'not_converging', detail: 'A route differs.' },
  ]);
  expect(problems.all.map(({ detail }) => detail)).toEqual(['The rules differ. A route differs.']);
});
