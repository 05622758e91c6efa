// The rows of operations, as actions write them: begun in the transaction of the action, asked to end, ended with what they
// are about. What happens in between is the runner's (runner.ts).
import { ProductError } from '@powernode/core/errors';
import {
  openOperationsPerAccountMax,
  operationDetailMax,
  operationJsonBytesMax,
} from '@powernode/core/limits/coordination';
import type { Selectable } from 'kysely';
import type { ActionContext } from '../../actions/context.ts';
import type { Database } from '../../store/tables.ts';
import type { OperationKind } from './kind.ts';

export type OperationRow = Selectable<Database['operations']>;

/** Events of operations, `system.operation.<what>`: readers find the row by `operation_id`. */
export type OperationEvent =
  | 'queued'
  | 'step_done'
  | 'waiting'
  | 'retrying'
  | 'cancel_requested'
  | 'succeeded'
  | 'failed'
  | 'cancelled';

const severities = { retrying: 'warning', failed: 'error' } as const;

export function operationEvent(context: ActionContext, what: OperationEvent, row: OperationRow): void {
  const severity = what === 'retrying' || what === 'failed' ? severities[what] : 'info';
  const payload = {
    operation_id: row.id,
    kind: row.kind,
    summary: row.summary,
    subject_id: row.subject_id,
    state: row.state,
    step: row.ended_at === null ? row.step : null,
    attempts: row.attempts,
    detail: row.detail,
    ...(row.result === null ? {} : { result: row.result }),
    ...(row.error === null ? {} : { error: row.error }),
  };
  context.event(`system.operation.${what}`, payload, severity);
}

/** It runs once the transaction has committed. One of a kind is under way for an object at a time. */
export async function beginOperation<Input>(
  context: ActionContext,
  kind: OperationKind<Input>,
  of: { readonly summary: string; readonly subjectId: string | null; readonly input: Input },
): Promise<OperationRow> {
  await refuseTooMany(context);
  await refuseSecond(context, { kind: kind.name, subjectId: of.subjectId });
  const { caller } = context;
  const isOfOperator = caller.tokenId !== '';
  const row = await context.trx
    .insertInto('operations')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      kind: kind.name,
      summary: of.summary,
      subject_id: of.subjectId,
      input: boundedJson(of.input),
      state: 'queued',
      step: kind.steps[0].name,
      requested_by: isOfOperator ? caller.operatorId : null,
      requested_by_name: caller.operatorName,
      correlation_id: context.correlationId,
      created_at: context.now,
      updated_at: context.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  operationEvent(context, 'queued', row);
  return row;
}

/** What is about an object that has ended, or was taken back, ends with it; a turn under way comes to nothing. */
export async function endOperationsAbout(
  context: ActionContext,
  of: { readonly subjectId: string; readonly kind?: string },
  why: string,
): Promise<void> {
  let query = context.trx
    .updateTable('operations')
    .set((eb) => ({
      state: 'cancelled',
      detail: why,
      claim: null,
      claimed_until: null,
      ended_at: context.now,
      updated_at: context.now,
      revision: eb('revision', '+', 1),
    }))
    .where('account_id', '=', context.accountId)
    .where('subject_id', '=', of.subjectId)
    .where('ended_at', 'is', null);
  if (of.kind !== undefined) query = query.where('kind', '=', of.kind);
  for (const row of await query.returningAll().execute()) operationEvent(context, 'cancelled', row);
}

/** The id of the one of a kind that is under way for an object; null: none is. */
export async function openOperation(
  { trx }: ActionContext,
  kind: string,
  subjectId: string,
): Promise<string | null> {
  const row = await trx
    .selectFrom('operations')
    .select('id')
    .where('kind', '=', kind)
    .where('subject_id', '=', subjectId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** A step that runs comes to its end first. Asking twice is the same as once. */
export async function requestCancel(
  context: ActionContext,
  row: OperationRow,
  reason: string | null,
): Promise<OperationRow> {
  if (row.ended_at !== null) {
    throw new ProductError('conflict', `The operation is over: ${row.state}. There is nothing to cancel.`);
  }
  if (row.cancel_requested_at !== null) return row;
  const after = await context.trx
    .updateTable('operations')
    .set({
      cancel_requested_at: context.now,
      cancel_reason: reason,
      attempts: 0,
      due_at: context.now,
      updated_at: context.now,
      revision: row.revision + 1,
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  operationEvent(context, 'cancel_requested', after);
  return after;
}

/** What is stored of an operation is a few ids and sentences; more is a mistake of the step that makes it. */
export function boundedJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.length <= operationJsonBytesMax) return text;
  throw new Error(`an operation cannot keep ${text.length} bytes`);
}

export function boundedDetail(detail: string): string {
  return detail.length <= operationDetailMax ? detail : `${detail.slice(0, operationDetailMax - 1)}…`;
}

async function refuseTooMany({ trx, accountId }: ActionContext): Promise<void> {
  const { open } = await trx
    .selectFrom('operations')
    .select((eb) => eb.fn.countAll<number>().as('open'))
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (open < openOperationsPerAccountMax) return;
  throw new ProductError(
    'limit_reached',
    `${open} operations of this account are not over yet, which is the limit. Wait for them, or cancel some (system_cancel_operation).`,
  );
}

async function refuseSecond(
  context: ActionContext,
  of: { readonly kind: string; readonly subjectId: string | null },
): Promise<void> {
  if (of.subjectId === null) return;
  const other = await openOperation(context, of.kind, of.subjectId);
  if (other === null) return;
  throw new ProductError(
    'conflict',
    `The operation ${other}, which does the same, is not over yet. Wait for it, or cancel it.`,
  );
}
