// Runs operations: each turn is one step of one operation, claimed by this process. A step's transaction and the operation's
// progress are written together, so that wherever a process is killed, the next turn finds either none or all of it.
import { ProductError, problemOf } from '@powernode/core/errors';
import {
  operationAttemptsMax,
  operationRetryFirstMs,
  operationRetryMaxMs,
  operationsAtOnceMax,
} from '@powernode/core/limits/coordination';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { ActionContext } from '../../actions/context.ts';
import { platformActor } from '../../events/write-events.ts';
import { isDatabaseAway } from '../../store/database-errors.ts';
import type { Clock } from '../../trust/clock.ts';
import { inSystemTransaction, type SystemParts } from '../system-actor.ts';
import { type Claimed, claimDue, keepClaim, releaseClaim } from './claims.ts';
import {
  type Memory,
  type OperationKind,
  type OperationKinds,
  PermanentFailure,
  type Step,
  type StepOutcome,
} from './kind.ts';
import { boundedDetail, boundedJson, type OperationEvent, operationEvent } from './rows.ts';

export interface OperationRunnerParts extends SystemParts {
  readonly kinds: OperationKinds;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  /** Called when more may be due at once. */
  readonly wake: () => void;
}

/** Another process has the turn, or the operation is over: nothing of this turn is written. */
class StaleTurn extends Error {}

interface Turn {
  readonly row: Claimed;
  readonly kind: OperationKind;
  readonly step: Omit<Step<unknown>, 'name'>;
  readonly isCancel: boolean;
  readonly signal: AbortSignal;
}

export class OperationRunner {
  readonly #parts: OperationRunnerParts;
  readonly #turns = new Set<Promise<void>>();

  constructor(parts: OperationRunnerParts) {
    this.#parts = parts;
  }

  /** Begins the turns that are due, as many as may be under way at a time. */
  async look(stopping: AbortSignal): Promise<void> {
    const { store, kinds, services, wake } = this.#parts;
    while (!stopping.aborted && this.#turns.size < operationsAtOnceMax) {
      const row = await claimDue(store, { kinds: [...kinds.keys()], claim: services.newId() });
      if (row === null) return;
      const turn = this.#turn(row, stopping).finally(() => {
        this.#turns.delete(turn);
        wake();
      });
      this.#turns.add(turn);
    }
  }

  /** Turns of this process. */
  get underWay(): number {
    return this.#turns.size;
  }

  /** Settles when no turn is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#turns);
  }

  /** Never throws. */
  async #turn(row: Claimed, stopping: AbortSignal): Promise<void> {
    const lost = new AbortController();
    const end = keepClaim(this.#parts, row, () => lost.abort(new StaleTurn()));
    try {
      const kind = this.#parts.kinds.get(row.kind);
      if (kind === undefined) throw new StaleTurn();
      const isCancel = row.cancel_requested_at !== null && kind.cancel !== null;
      const step = isCancel ? kind.cancel : kind.steps.find(({ name }) => name === row.step);
      if (step == null) throw new PermanentFailure(unknownStep(row));
      if (row.attempts >= operationAttemptsMax) throw new PermanentFailure(tooOften(row));
      const signal = AbortSignal.any([stopping, lost.signal]);
      await this.#run({ row, kind, step, isCancel, signal });
    } catch (error) {
      await this.#failed(row, { error, stopping }).catch((cause: unknown) => {
        if (cause instanceof StaleTurn) return;
        // The claim ends by itself, and the turn is somebody's again.
        this.#parts.log.warn(
          { err: cause, operationId: row.id },
          'the failure of an operation is not written',
        );
      });
    } finally {
      end();
    }
  }

  async #run(turn: Turn): Promise<void> {
    const { row, kind, step, signal } = turn;
    const of = {
      input: kind.input.parse(row.input),
      memory: row.memory,
      key: `${row.id}/${turn.isCancel ? 'cancel' : row.step}`,
      begunAt: row.created_at,
    };
    const acted = await step.act?.(of, signal);
    signal.throwIfAborted();
    await this.#inTransaction(row, async (context) => {
      const outcome = await step.record(context, of, acted);
      await this.#write(context, row, progressOf(turn, outcome));
    });
  }

  #inTransaction(row: Claimed, work: (context: ActionContext) => Promise<void>): Promise<void> {
    const call = {
      accountId: row.account_id,
      action: 'operation_step' as const,
      actor: platformActor,
      correlationId: row.correlation_id,
    };
    return inSystemTransaction(this.#parts, call, work);
  }

  /** Written last in the transaction: it holds the row, and whoever ends an operation holds the account before. */
  async #write(context: ActionContext, row: Claimed, progress: Progress): Promise<void> {
    const { event, afterMs, columns } = progress;
    const isNews = event !== null;
    const after = await context.trx
      .updateTable('operations')
      .set((eb) => ({
        ...columns,
        claim: null,
        claimed_until: null,
        due_at: dueAfter(row, afterMs),
        ...(progress.isOver ? { ended_at: context.now } : {}),
        ...(isNews ? { updated_at: context.now, revision: eb('revision', '+', 1) } : {}),
      }))
      .where('id', '=', row.id)
      .where('claim', '=', row.claim)
      .where('ended_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (after === undefined) throw new StaleTurn();
    if (event !== null) operationEvent(context, event, after);
  }

  async #failed(
    row: Claimed,
    of: { readonly error: unknown; readonly stopping: AbortSignal },
  ): Promise<void> {
    const { error, stopping } = of;
    const { log, store, random } = this.#parts;
    if (error instanceof StaleTurn)
      return log.debug({ operationId: row.id }, 'a turn went to another process');
    if (stopping.aborted) return releaseClaim(store, row);
    // The claim ends by itself. That is no failure of the step.
    if (isAway(error)) return;
    const attempts = row.attempts + 1;
    const problem = problemOfStep(error);
    const isOver = error instanceof PermanentFailure || attempts >= operationAttemptsMax;
    log.warn(
      { err: error, operationId: row.id, operation: row.kind, step: row.step, attempts },
      isOver ? 'an operation failed' : 'a step of an operation failed',
    );
    const detail = boundedDetail(problem.detail);
    const pauseMs = Math.min(operationRetryFirstMs * 2 ** (attempts - 1), operationRetryMaxMs);
    await this.#inTransaction(row, (context) =>
      this.#write(context, row, {
        event: isOver ? 'failed' : 'retrying',
        isOver,
        afterMs: pauseMs * (1 + random() / 2),
        columns: isOver
          ? { state: 'failed', attempts, detail, error: boundedJson(problemOf(problem)) }
          : { attempts, detail },
      }),
    );
  }
}

interface Progress {
  /** null: nothing that is new to anybody. */
  readonly event: OperationEvent | null;
  readonly isOver: boolean;
  /** Until it is due again. */
  readonly afterMs: number;
  readonly columns: {
    readonly state?: 'succeeded' | 'failed' | 'cancelled';
    readonly step?: string;
    readonly attempts: number;
    readonly detail: string | null;
    readonly memory?: string;
    readonly result?: string;
    readonly error?: string;
  };
}

function progressOf({ row, kind, isCancel }: Turn, outcome: StepOutcome): Progress {
  if (outcome.kind === 'wait') {
    const detail = boundedDetail(outcome.detail);
    return {
      event: detail === row.detail ? null : 'waiting',
      isOver: false,
      afterMs: outcome.forMs,
      columns: { attempts: 0, detail, ...memoryColumn(outcome.memory) },
    };
  }
  if (outcome.kind === 'obsolete' || isCancel) {
    const why = outcome.kind === 'obsolete' ? outcome.why : (row.cancel_reason ?? 'It was cancelled.');
    const columns = { state: 'cancelled' as const, attempts: 0, detail: boundedDetail(why) };
    return { event: 'cancelled', isOver: true, afterMs: 0, columns };
  }
  const memory = memoryColumn(outcome.memory);
  const next = kind.steps[kind.steps.findIndex(({ name }) => name === row.step) + 1];
  if (next !== undefined) {
    const columns = { step: next.name, attempts: 0, detail: null, ...memory };
    return { event: 'step_done', isOver: false, afterMs: 0, columns };
  }
  const result = boundedJson(outcome.result ?? {});
  const columns = { state: 'succeeded' as const, attempts: 0, detail: null, result, ...memory };
  return { event: 'succeeded', isOver: true, afterMs: 0, columns };
}

function memoryColumn(memory: Memory | undefined): { readonly memory?: string } {
  return memory === undefined ? {} : { memory: boundedJson(memory) };
}

function isAway(error: unknown): boolean {
  return isDatabaseAway(error) || (error instanceof ProductError && error.code === 'database_unavailable');
}

/** A request to cancel that came during the turn waits for nothing. */
function dueAfter(row: Claimed, afterMs: number) {
  const due = sql<Date>`clock_timestamp() + ${afterMs} * interval '1 millisecond'`;
  if (row.cancel_requested_at !== null) return due;
  return sql<Date>`case when cancel_requested_at is null then ${due} else clock_timestamp() end`;
}

/** What anybody may read of it. The log has the rest. */
function problemOfStep(error: unknown): ProductError {
  if (error instanceof PermanentFailure) return error.problem;
  if (error instanceof ProductError) return error;
  return new ProductError('internal', 'The step failed inside the platform, whose log says why.');
}

function unknownStep({ step }: Claimed): ProductError {
  return new ProductError(
    'conflict',
    `This version of the platform has no step "${step}" of such an operation.`,
  );
}

function tooOften({ step, attempts }: Claimed): ProductError {
  return new ProductError(
    'internal',
    `The step "${step}" was begun ${attempts} times, and each time its process ended or it failed.`,
  );
}
