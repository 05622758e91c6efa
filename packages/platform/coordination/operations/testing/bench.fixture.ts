// Test support: runners of operations of made-up kinds, over a real database, and what became of them.
import { type RawBuilder, sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { inProcessBus } from '../../../events/event-bus.ts';
import { platformActor } from '../../../events/write-events.ts';
import { inPlatform } from '../../../store/tenancy.ts';
import { openTestStore, type TestStore } from '../../../store/test-database.ts';
import { systemClock } from '../../../trust/clock.ts';
import { inSystemTransaction } from '../../system-actor.ts';
import { type OperationKind, operationKinds, type Step, type StepOutcome } from '../kind.ts';
import { beginOperation, endOperationsAbout, type OperationRow, requestCancel } from '../rows.ts';
import { OperationRunner } from '../runner.ts';
import { bareServices } from './kinds.fixture.ts';

const none = z.strictObject({});
export type None = z.output<typeof none>;

export function kindOf(
  name: string,
  steps: readonly [Step<None>, ...Step<None>[]],
  cancel: OperationKind<None>['cancel'] = { record: async () => ({ kind: 'done' }) },
): OperationKind<None> {
  return { name, input: none, permission: 'system.instances.manage', steps, cancel };
}

export const step = (name: string, run: () => StepOutcome | Promise<StepOutcome>): Step<None> => ({
  name,
  record: async () => run(),
});
export const done = (): StepOutcome => ({ kind: 'done' });

export class OperationBench {
  readonly #database: TestStore;
  readonly accountId = uuidv7();

  private constructor(database: TestStore) {
    this.#database = database;
  }

  static async open(): Promise<OperationBench> {
    const bench = new OperationBench(await openTestStore());
    await bench.newAccount(bench.accountId);
    return bench;
  }

  get store() {
    return this.#database.store;
  }

  get #parts() {
    return { store: this.store, bus: inProcessBus(() => undefined), services: bareServices };
  }

  #call(accountId: string) {
    return { accountId, action: 'operation_step' as const, actor: platformActor, correlationId: 'test' };
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** What earlier tests have left is nobody's turn any more. */
  async clear(): Promise<void> {
    await inPlatform(this.store, async (trx) => {
      await trx.deleteFrom('operations').execute();
      await trx.deleteFrom('prefix_quarantine').execute();
    });
  }

  async newAccount(id = uuidv7()): Promise<string> {
    await inPlatform(this.store, (trx) =>
      trx.insertInto('accounts').values({ id, name: id, pool_prefix: id }).execute(),
    );
    return id;
  }

  runner(...kinds: OperationKind<None>[]): OperationRunner {
    return new OperationRunner({
      ...this.#parts,
      kinds: operationKinds(kinds),
      clock: systemClock,
      log: pino({ level: 'silent' }),
      random: () => 0,
      wake: () => undefined,
    });
  }

  begin(
    kind: OperationKind<None>,
    subjectId: string | null = null,
    accountId = this.accountId,
  ): Promise<OperationRow> {
    return inSystemTransaction(this.#parts, this.#call(accountId), (context) =>
      beginOperation(context, kind, { summary: 'Do it', subjectId, input: {} }),
    );
  }

  async row(id: string): Promise<OperationRow> {
    return inPlatform(this.store, (trx) =>
      trx.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    );
  }

  /** Changes every operation, as time or another process would. */
  async set(columns: RawBuilder<unknown>): Promise<void> {
    await inPlatform(this.store, (trx) => sql`update operations set ${columns}`.execute(trx));
  }

  /** As if the time had come. */
  makeDue(): Promise<void> {
    return this.set(sql`due_at = now()`);
  }

  async cancel(id: string, reason: string | null = null): Promise<OperationRow> {
    const row = await this.row(id);
    return inSystemTransaction(this.#parts, this.#call(this.accountId), (context) =>
      requestCancel(context, row, reason),
    );
  }

  async endAbout(subjectId: string, why: string): Promise<void> {
    await inSystemTransaction(this.#parts, this.#call(this.accountId), (context) =>
      endOperationsAbout(context, { subjectId }, why),
    );
  }

  async events(id: string): Promise<string[]> {
    const rows = await inPlatform(this.store, (trx) =>
      trx
        .selectFrom('events')
        .select('kind')
        .where(sql<boolean>`payload ->> 'operation_id' = ${id}`)
        .orderBy('id')
        .execute(),
    );
    return rows.map(({ kind }) => kind.replace('system.operation.', ''));
  }
}

/** Turns until nothing is due. */
export async function run(runner: OperationRunner, stopping = new AbortController().signal): Promise<void> {
  for (;;) {
    await runner.look(stopping);
    if (runner.underWay === 0) return;
    await runner.idle();
  }
}
