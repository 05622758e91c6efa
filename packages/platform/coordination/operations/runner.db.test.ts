// Operations in one process over a real database: steps in their order, waiting, failing and cancelling.
import { ProductError } from '@powernode/core/errors';
import { operationAttemptsMax, operationRetryFirstMs } from '@powernode/core/limits/coordination';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { PermanentFailure } from './kind.ts';
import { done, kindOf, OperationBench, run, step } from './testing/bench.fixture.ts';

let bench: OperationBench;
beforeAll(async () => {
  bench = await OperationBench.open();
});
afterAll(() => bench.close());
beforeEach(() => bench.clear());

test('steps run in their order, each with what those before it left, and each is an event', async () => {
  const seen: unknown[] = [];
  const kind = kindOf('ordered', [
    { name: 'one', record: async (_, { memory }) => (seen.push(memory), { kind: 'done', memory: { a: 1 } }) },
    {
      name: 'two',
      act: async ({ memory, key }) => ({ memory, key }),
      record: async (_, { memory }, acted) => {
        seen.push(acted);
        return { kind: 'done', memory: { ...memory, b: 2 } };
      },
    },
    { name: 'three', record: async (_, { memory }) => ({ kind: 'done', result: memory }) },
  ]);
  const { id } = await bench.begin(kind);
  await run(bench.runner(kind));
  expect(seen).toEqual([{}, { memory: { a: 1 }, key: `${id}/two` }]);
  expect(await bench.row(id)).toMatchObject({ state: 'succeeded', result: { a: 1, b: 2 }, claim: null });
  expect(await bench.events(id)).toEqual(['queued', 'step_done', 'step_done', 'succeeded']);
});

test('a step that waits is run again when it is time, and says only what is new', async () => {
  let turns = 0;
  const kind = kindOf('waiting', [
    step('one', () => {
      turns++;
      if (turns < 4) return { kind: 'wait', forMs: 60_000, detail: turns < 3 ? 'not yet' : 'nearly' };
      return done();
    }),
  ]);
  const { id } = await bench.begin(kind);
  const runner = bench.runner(kind);
  await run(runner);
  await run(runner);
  expect(turns).toBe(1);
  const { revision } = await bench.row(id);
  await bench.makeDue();
  await run(runner);
  expect(await bench.row(id)).toMatchObject({ state: 'running', detail: 'not yet', revision });
  for (let i = 0; i < 2; i++) {
    await bench.makeDue();
    await run(runner);
  }
  expect(await bench.row(id)).toMatchObject({ state: 'succeeded' });
  expect(await bench.events(id)).toEqual(['queued', 'waiting', 'waiting', 'succeeded']);
});

describe('a step that fails', () => {
  test('takes back what it wrote, and is tried again after pauses that double', async () => {
    let fails = 3;
    const kind = kindOf('failing', [
      {
        name: 'one',
        record: async (context) => {
          const account_id = context.accountId;
          await context.trx
            .insertInto('prefix_quarantine')
            .values({ account_id, prefix: `try ${fails}`, number_highest: 0 })
            .execute();
          if (fails-- > 0) throw new ProductError('busy', 'The other side is busy.');
          return done();
        },
      },
    ]);
    const { id } = await bench.begin(kind);
    const runner = bench.runner(kind);
    const pauses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const before = Date.now();
      await bench.makeDue();
      await run(runner);
      const row = await bench.row(id);
      expect(row).toMatchObject({ state: 'running', attempts: i + 1, detail: 'The other side is busy.' });
      pauses.push(Math.round((row.due_at.getTime() - before) / operationRetryFirstMs));
    }
    expect(pauses).toEqual([1, 2, 4]);
    await bench.makeDue();
    await run(runner);
    expect(await bench.row(id)).toMatchObject({ state: 'succeeded', attempts: 0, detail: null });
    expect(await bench.events(id)).toEqual(['queued', 'retrying', 'retrying', 'retrying', 'succeeded']);
    const written = await inPlatform(bench.store, (trx) =>
      trx
        .selectFrom('prefix_quarantine')
        .select('prefix')
        .where('account_id', '=', bench.accountId)
        .execute(),
    );
    expect(written).toEqual([{ prefix: 'try 0' }]);
  });

  test('so often that there is no hope has failed, and a mistake of ours shows nothing of itself', async () => {
    const kind = kindOf('hopeless', [
      step('one', () => Promise.reject(new TypeError('secret of the inside'))),
    ]);
    const { id } = await bench.begin(kind);
    const runner = bench.runner(kind);
    for (let i = 0; i < operationAttemptsMax; i++) {
      await bench.makeDue();
      await run(runner);
    }
    const row = await bench.row(id);
    expect(row).toMatchObject({
      state: 'failed',
      attempts: operationAttemptsMax,
      error: { code: 'internal' },
    });
    expect(JSON.stringify(row)).not.toContain('secret of the inside');
    expect((await bench.events(id)).at(-1)).toBe('failed');
  });

  test('for good fails at once, with its own problem', async () => {
    const kind = kindOf('refused', [
      step('one', () => Promise.reject(new PermanentFailure(new ProductError('limit_reached', 'No room.')))),
    ]);
    const { id } = await bench.begin(kind);
    await run(bench.runner(kind));
    expect(await bench.row(id)).toMatchObject({
      state: 'failed',
      error: { code: 'limit_reached', detail: 'No room.' },
    });
  });

  test('by the end of its process is counted, so that it does not end every process for ever', async () => {
    let runs = 0;
    const kind = kindOf('deadly', [step('one', () => (runs++, done()))]);
    const { id } = await bench.begin(kind);
    await bench.set(
      sql`claim = ${uuidv7()}, claimed_until = now() - interval '1 second', attempts = ${operationAttemptsMax - 1}`,
    );
    await run(bench.runner(kind));
    expect(runs).toBe(0);
    expect(await bench.row(id)).toMatchObject({ state: 'failed', error: { code: 'internal' } });
  });

  test('while the database is away has not failed: its turn is anybody’s once the claim has ended', async () => {
    const kind = kindOf('away', [
      step('one', () =>
        Promise.reject(new ProductError('database_unavailable', 'The database does not answer.')),
      ),
    ]);
    const { id } = await bench.begin(kind);
    await run(bench.runner(kind));
    expect(await bench.row(id)).toMatchObject({ state: 'running', attempts: 0, detail: null });
  });
});

describe('cancelling', () => {
  const waiting = (undone: string[] = []) =>
    kindOf('cancelled', [step('one', () => ({ kind: 'wait', forMs: 3_600_000, detail: 'waits' }))], {
      record: async (_, { key }) => {
        undone.push(key);
        return { kind: 'done' };
      },
    });

  test('ends what waits at once, undoes what its kind undoes once, and says why', async () => {
    const undone: string[] = [];
    const kind = waiting(undone);
    const { id } = await bench.begin(kind);
    const runner = bench.runner(kind);
    await run(runner);
    await bench.cancel(id, 'not needed');
    expect(await bench.cancel(id, 'again')).toMatchObject({ cancel_reason: 'not needed' });
    await run(runner);
    expect(await bench.row(id)).toMatchObject({ state: 'cancelled', detail: 'not needed' });
    expect(undone).toEqual([`${id}/cancel`]);
    expect(await bench.events(id)).toEqual(['queued', 'waiting', 'cancel_requested', 'cancelled']);
    await expect(bench.cancel(id)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('during a step lets the step end, and comes before the next one and before any wait', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const kind = kindOf('busy', [
      {
        name: 'one',
        act: async () => {
          begun.resolve();
          await goOn.promise;
        },
        record: async () => ({ kind: 'wait', forMs: 3_600_000, detail: 'waits' }),
      },
    ]);
    const { id } = await bench.begin(kind);
    const runner = bench.runner(kind);
    const running = run(runner);
    await begun.promise;
    await bench.cancel(id);
    goOn.resolve();
    await running;
    expect(await bench.row(id)).toMatchObject({ state: 'cancelled' });
  });

  test('that cannot be undone is tried again as a step is', async () => {
    let fails = true;
    const kind = kindOf(
      'stubborn',
      [step('one', () => ({ kind: 'wait', forMs: 3_600_000, detail: 'waits' }))],
      {
        record: async () => {
          if (fails) throw new ProductError('busy', 'Not now.');
          return { kind: 'done' };
        },
      },
    );
    const { id } = await bench.begin(kind);
    const runner = bench.runner(kind);
    await run(runner);
    await bench.cancel(id);
    await run(runner);
    expect(await bench.row(id)).toMatchObject({ state: 'running', attempts: 1 });
    fails = false;
    await bench.makeDue();
    await run(runner);
    expect(await bench.row(id)).toMatchObject({ state: 'cancelled' });
  });

  test('by the end of its object ends it now, also under a step that runs', async () => {
    const subjectId = uuidv7();
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const kind = kindOf('about', [
      {
        name: 'one',
        act: async () => {
          begun.resolve();
          await goOn.promise;
        },
        record: async () => done(),
      },
    ]);
    const { id } = await bench.begin(kind, subjectId);
    const running = run(bench.runner(kind));
    await begun.promise;
    await bench.endAbout(subjectId, 'The object is gone.');
    goOn.resolve();
    await running;
    expect(await bench.row(id)).toMatchObject({ state: 'cancelled', detail: 'The object is gone.' });
    expect(await bench.events(id)).toEqual(['queued', 'cancelled']);
    // Another one may begin.
    await bench.begin(kind, subjectId);
  });

  test('happens by itself when what it was for is not so any more', async () => {
    const kind = kindOf('obsolete', [
      step('one', () => ({ kind: 'obsolete', why: 'Nobody needs it.' })),
      step('two', done),
    ]);
    const { id } = await bench.begin(kind);
    await run(bench.runner(kind));
    expect(await bench.row(id)).toMatchObject({ state: 'cancelled', detail: 'Nobody needs it.' });
  });
});
