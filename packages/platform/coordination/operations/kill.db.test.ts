// An operation whose process is killed with SIGKILL before one of its statements, or right after it was sent, is continued
// by another process: each step's transaction is committed once, and the other side makes one thing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inProcessBus } from '../../events/event-bus.ts';
import { platformActor } from '../../events/write-events.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { openTestStore, type TestStore } from '../../store/test-database.ts';
import { systemClock } from '../../trust/clock.ts';
import { inSystemTransaction } from '../system-actor.ts';
import { operationKinds } from './kind.ts';
import { beginOperation, type OperationRow } from './rows.ts';
import { OperationRunner } from './runner.ts';
import { bareServices, madeIn, makingKind, recordsOf } from './testing/kinds.fixture.ts';

/** One database for each row of children, so that they run beside each other and each finds its own operation only. */
const lanes = 2;
let stores: TestStore[];
let root: string;
const accountId = uuidv7();
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'powernode-operations-'));
  stores = await Promise.all(Array.from({ length: lanes }, () => openTestStore()));
  for (const { store } of stores) {
    await inPlatform(store, (trx) =>
      trx
        .insertInto('accounts')
        .values({ id: accountId, name: 'account', pool_prefix: 'fd00::/48' })
        .execute(),
    );
  }
});
afterAll(async () => {
  for (const store of stores) await store.close();
  rmSync(root, { recursive: true });
});

const partsOf = ({ store }: TestStore) => ({
  store,
  bus: inProcessBus(() => undefined),
  services: bareServices,
});

async function begin(at: TestStore): Promise<{ id: string; directory: string }> {
  const directory = mkdtempSync(path.join(root, 'made-'));
  const call = { accountId, action: 'operation_step' as const, actor: platformActor, correlationId: 'test' };
  const row = await inSystemTransaction(partsOf(at), call, (context) =>
    beginOperation(context, makingKind, { summary: 'Make', subjectId: null, input: { directory } }),
  );
  return { id: row.id, directory };
}

/** Answers how many statements it has sent when it was not killed, else null. */
async function child(at: TestStore, number: number, when: 'before' | 'sent'): Promise<number | null> {
  const program = path.join(import.meta.dirname, 'testing', 'worker.fixture.ts');
  const process_ = spawn(process.execPath, [program, at.databaseUrl, String(number), when], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  process_.stdout.on('data', (text: Buffer) => (said += String(text)));
  const [code, signal] = (await once(process_, 'close')) as [number | null, string | null];
  if (signal === 'SIGKILL') return null;
  expect(code).toBe(0);
  return Number(said);
}

/** As the next process does once the claim of the dead one has ended: time alone does that, which the test does not wait for. */
async function resume(at: TestStore, id: string): Promise<OperationRow> {
  await inPlatform(at.store, (trx) =>
    sql`update operations set claimed_until = now() - interval '1 second' where claim is not null`.execute(
      trx,
    ),
  );
  const runner = new OperationRunner({
    ...partsOf(at),
    kinds: operationKinds([makingKind]),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    random: () => 0,
    wake: () => undefined,
  });
  for (;;) {
    await runner.look(new AbortController().signal);
    await runner.idle();
    const row = await inPlatform(at.store, (trx) =>
      trx.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    );
    if (row.ended_at !== null) return row;
  }
}

async function expectDoneOnce(at: TestStore, of: { id: string; directory: string }, row: OperationRow) {
  expect(row.state).toBe('succeeded');
  expect(await recordsOf(at.store, of.id)).toEqual({ reserve: 1, make: 1, wait: 1 });
  const { made, calls } = madeIn(of.directory);
  expect(made).toHaveLength(1);
  expect(row.result).toEqual({ made: made[0] });
  expect(new Set(calls)).toEqual(new Set([`${of.id}/make`]));
  const kinds = await inPlatform(at.store, (trx) =>
    trx
      .selectFrom('events')
      .select('kind')
      .where(sql<boolean>`payload ->> 'operation_id' = ${of.id}`)
      .orderBy('id')
      .execute(),
  );
  expect(kinds.map(({ kind }) => kind.replace('system.operation.', ''))).toEqual([
    'queued',
    'step_done',
    'step_done',
    'waiting',
    'succeeded',
  ]);
}

describe('a process that is killed', () => {
  test.each(['before', 'sent'] as const)(
    '%s each of its statements loses and repeats nothing',
    { timeout: 300_000 },
    async (when) => {
      // A part of them, another one each time; all of them with POWERNODE_LONG=1.
      const stride = process.env['POWERNODE_LONG'] === '1' ? 1 : 6;
      let next = 1 + Math.floor(Math.random() * stride);
      let kills = 0;
      const lane = async (at: TestStore) => {
        for (;;) {
          const number = next;
          next += stride;
          const of = await begin(at);
          const ran = await child(at, number, when);
          await expectDoneOnce(at, of, await resume(at, of.id));
          if (ran !== null) return;
          kills++;
        }
      };
      await Promise.all(stores.map(lane));
      // Four turns, each with a claim and a transaction.
      expect(kills * stride).toBeGreaterThan(30);
    },
  );
});
