// A part of an action that fails takes back only itself: its rows and all that it collected, also within another one.
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inSystemTransaction } from '../coordination/system-actor.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import type { ActionContext } from './context.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

class TakenBack extends Error {}

/** Runs in a transaction that leaves nothing behind. */
async function within(work: (context: ActionContext) => Promise<void>): Promise<void> {
  const call = {
    accountId: platform.admin.accountId,
    action: 'agent_leave' as const,
    actor: { kind: 'platform' as const, id: null, name: 'platform' },
    correlationId: 'test',
  };
  const all = inSystemTransaction(platform, call, async (context) => {
    await work(context);
    throw new TakenBack();
  });
  await expect(all).rejects.toBeInstanceOf(TakenBack);
}

async function note(context: ActionContext, name: string): Promise<void> {
  await sql`update accounts set name = ${name} where id = ${context.accountId}`.execute(context.trx);
  context.event('test', { name });
  context.note('test', name);
  context.becomes({ before: {}, after: { name } });
  context.addPlanNode({ instance_id: name, hostname: name, changes: [], changes_count: 0 });
  context.whenCommitted(() => undefined);
}

async function stateOf(context: ActionContext) {
  const { rows } = await sql<{ name: string }>`
    select name from accounts where id = ${context.accountId}
  `.execute(context.trx);
  const { events, notes, planNodes, outcome, afterCommit } = context;
  return {
    row: rows[0]?.name,
    events: events.map(({ payload }) => payload['name']),
    notes: notes.map(({ detail }) => detail),
    planNodes: planNodes.map(({ hostname }) => hostname),
    outcome: outcome?.after['name'],
    afterCommit: afterCommit.length,
  };
}

const collected = (...names: string[]) => ({
  row: names.at(-1),
  events: names,
  notes: names,
  planNodes: names,
  outcome: names.at(-1),
  afterCommit: names.length,
});

async function failing(context: ActionContext, part: () => Promise<void>): Promise<void> {
  const failure = new Error('this part fails');
  const run = context.attempt(async () => {
    await part();
    throw failure;
  });
  await expect(run).rejects.toBe(failure);
}

test('a part that fails takes back its rows and everything that it collected', () =>
  within(async (context) => {
    await note(context, 'before');
    await failing(context, () => note(context, 'part'));
    expect(await stateOf(context)).toEqual(collected('before'));
    await note(context, 'after');
    expect(await stateOf(context)).toEqual(collected('before', 'after'));
  }));

test('a part whose own part failed before it is taken back whole', () =>
  within(async (context) => {
    await note(context, 'before');
    await failing(context, async () => {
      await note(context, 'outer');
      await failing(context, () => note(context, 'inner'));
      expect(await stateOf(context)).toEqual(collected('before', 'outer'));
    });
    expect(await stateOf(context)).toEqual(collected('before'));
  }));

test('a part that succeeds in one that fails is taken back with it', () =>
  within(async (context) => {
    await note(context, 'before');
    await failing(context, async () => {
      await note(context, 'outer');
      await context.attempt(() => note(context, 'inner'));
      expect(await stateOf(context)).toEqual(collected('before', 'outer', 'inner'));
    });
    expect(await stateOf(context)).toEqual(collected('before'));
  }));
