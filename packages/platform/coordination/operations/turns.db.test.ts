// Whose turn an operation is, of several runners over one database, and how many operations there may be.
import {
  openOperationsPerAccountMax,
  operationsAtOncePerAccountMax,
} from '@powernode/core/limits/coordination';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import type { Step } from './kind.ts';
import type { OperationRow } from './rows.ts';
import { done, kindOf, type None, OperationBench, run, step } from './testing/bench.fixture.ts';

let bench: OperationBench;
beforeAll(async () => {
  bench = await OperationBench.open();
});
afterAll(() => bench.close());
beforeEach(() => bench.clear());

describe('whose turn it is', () => {
  test('of many runners one runs a step at a time, and every step is run once', async () => {
    const under = new Map<string, number>();
    const runs = new Map<string, number>();
    let most = 0;
    const counted = (name: string): Step<None> => ({
      name,
      act: async ({ key }) => {
        under.set(key, (under.get(key) ?? 0) + 1);
        most = Math.max(most, under.get(key) ?? 0);
        await new Promise((resolve) => setImmediate(resolve));
        under.set(key, (under.get(key) ?? 0) - 1);
        runs.set(key, (runs.get(key) ?? 0) + 1);
      },
      record: async () => done(),
    });
    const kind = kindOf('shared', [counted('one'), counted('two'), counted('three')]);
    const accounts = await Promise.all(Array.from({ length: 4 }, () => bench.newAccount()));
    const begun: OperationRow[] = [];
    for (let i = 0; i < 40; i++) begun.push(await bench.begin(kind, null, accounts[i % 4]));
    const open = async () =>
      (await Promise.all(begun.map(({ id }) => bench.row(id)))).some((row) => row.ended_at === null);
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const runner = bench.runner(kind);
        while (await open()) await run(runner);
      }),
    );
    expect(most).toBe(1);
    expect(runs.size).toBe(120);
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
  });

  test('a process that lost its turn writes nothing', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let isFirst = true;
    const kind = kindOf('lost', [
      {
        name: 'one',
        act: async () => {
          if (!isFirst) return 'second';
          isFirst = false;
          begun.resolve();
          await goOn.promise;
          return 'first';
        },
        record: async (_, __, acted) => ({ kind: 'done', result: { acted } }),
      },
    ]);
    const { id } = await bench.begin(kind);
    const running = run(bench.runner(kind));
    await begun.promise;
    await bench.set(sql`claimed_until = now() - interval '1 second'`);
    await run(bench.runner(kind));
    goOn.resolve();
    await running;
    expect(await bench.row(id)).toMatchObject({ state: 'succeeded', result: { acted: 'second' } });
    expect(await bench.events(id)).toEqual(['queued', 'succeeded']);
  });

  test('a process that ends gives its turn back, and another goes on at once', async () => {
    const stopping = new AbortController();
    const begun = Promise.withResolvers<void>();
    const kind = kindOf('ending', [
      {
        name: 'one',
        act: (_, signal) => {
          if (stopping.signal.aborted) return Promise.resolve();
          begun.resolve();
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('ends'))),
          );
        },
        record: async () => done(),
      },
    ]);
    const { id } = await bench.begin(kind);
    const running = run(bench.runner(kind), stopping.signal);
    await begun.promise;
    stopping.abort();
    await running;
    expect(await bench.row(id)).toMatchObject({ state: 'running', claim: null, attempts: 0 });
    await run(bench.runner(kind));
    expect(await bench.row(id)).toMatchObject({ state: 'succeeded' });
  });

  test('no account has more turns than its share, whatever it begins', async () => {
    const goOn = Promise.withResolvers<void>();
    const running: string[] = [];
    const kind = kindOf('greedy', [
      {
        name: 'one',
        act: async ({ key }) => {
          running.push(key);
          await goOn.promise;
        },
        record: async () => done(),
      },
    ]);
    for (let i = 0; i < 10; i++) await bench.begin(kind);
    const other = await bench.newAccount();
    const { id } = await bench.begin(kind, null, other);
    const runner = bench.runner(kind);
    await runner.look(new AbortController().signal);
    await expect.poll(() => running.length).toBe(operationsAtOncePerAccountMax + 1);
    expect(running).toContain(`${id}/one`);
    goOn.resolve();
    await run(runner);
  });

  test('what this version does not know is left to one that does', async () => {
    const kind = kindOf('newer', [step('one', done)]);
    const { id } = await bench.begin(kind);
    await run(bench.runner(kindOf('older', [step('one', done)])));
    expect(await bench.row(id)).toMatchObject({ state: 'queued' });
  });
});

describe('what is begun', () => {
  const kind = kindOf('limited', [step('one', done)]);

  test('is one of a kind for an object at a time', async () => {
    const subjectId = uuidv7();
    const first = await bench.begin(kind, subjectId);
    await expect(bench.begin(kind, subjectId)).rejects.toMatchObject({ code: 'conflict' });
    await bench.begin(kind, uuidv7());
    await run(bench.runner(kind));
    expect(await bench.row(first.id)).toMatchObject({ state: 'succeeded' });
    await bench.begin(kind, subjectId);
  });

  test('has a limit for each account', async () => {
    await inPlatform(bench.store, (trx) =>
      sql`
        insert into operations (id, account_id, kind, summary, input, state, step, requested_by_name, correlation_id)
        select gen_random_uuid(), ${bench.accountId}::uuid, 'limited', '', '{}', 'queued', 'one', '', ''
        from generate_series(1, ${openOperationsPerAccountMax}::int)
      `.execute(trx),
    );
    await expect(bench.begin(kind)).rejects.toMatchObject({ code: 'limit_reached' });
    await bench.begin(kind, null, await bench.newAccount());
  });
});
