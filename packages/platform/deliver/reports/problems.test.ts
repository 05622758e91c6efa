// What a node is not given because its agent is too old is a problem of it, whether the agent can say so or not.
import { CompiledEntry } from '@powernode/core/compile/patch';
import { earliestCapability, newestCapability } from '@powernode/core/wire/capability';
import type { EntryTable } from '@powernode/core/wire/document';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { NodeState } from '../nodes/node-state.ts';
import { type ProblemParts, ProblemReports } from './problems.ts';

const table: EntryTable = {
  needs: (kind) => (kind === 'forwarding' ? newestCapability : earliestCapability),
  newest: newestCapability,
};
const since = '2026-11-30T10:00:00.000Z';
const port = { subsystem: 'wireguard', code: 'port_in_use', detail: 'in use', since } as const;
const forwarding = (handle: string) => new CompiledEntry({ kind: 'forwarding', network_id: 'n', handle });

test('it is named with the kinds, beside what the agent says, until the agent is upgraded', () => {
  const clock = new SimulatedClock();
  // Nothing is written before the clock moves.
  const parts = {
    store: {},
    bus: {},
    fleet: { networksOf: () => [] },
    clock,
    log: pino({ level: 'silent' }),
  };
  const reports = new ProblemReports(parts as unknown as ProblemParts);
  const node = new NodeState({
    instanceId: 'i',
    accountId: 'a',
    hostname: 'h',
    desiredRevision: 1,
    digest: 0n,
    applied: null,
    lastHeartbeatMs: null,
    subsystems: [],
  });
  const fleet = { compile: () => [forwarding('a')], digest: () => '0'.repeat(32) };
  const from = { table, fleet, sequenceOf: () => 1 };
  const codes = () => node.problems.map(({ code }) => code);
  reports.said(node, [port]);
  reports.lookWithheld(node);
  expect(codes()).toEqual(['port_in_use']);
  node.speaks(earliestCapability, from);
  reports.lookWithheld(node);
  expect(codes()).toEqual(['unsupported', 'port_in_use']);
  expect(node.problems[0]?.detail).toContain('forwarding (1)');
  const [before] = node.problems;
  reports.said(node, []);
  expect(node.problems).toEqual([before]);
  const set = new Map([[forwarding('b').key, forwarding('b')]]);
  node.reached({ patch: { set, remove: new Set(), digest: forwarding('b').digest }, weight: 1 }, 2);
  expect(node.desiredRevision).toBe(1);
  reports.lookWithheld(node);
  expect(node.problems).toMatchObject([
    { detail: expect.stringContaining('forwarding (2)'), since: before?.since },
  ]);
  node.speaks(newestCapability, from);
  reports.said(node, [port]);
  expect(codes()).toEqual(['port_in_use']);
});
