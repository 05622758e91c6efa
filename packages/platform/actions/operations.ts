// Handlers: operations, as every surface shows them.
import { ProductError } from '@powernode/core/errors';
import type { operation } from '@powernode/core/intent/operations';
import type { z } from 'zod';
import { refuseWithout } from '../access/rights.ts';
import type { OperationKinds } from '../coordination/operations/kind.ts';
import { type OperationRow, requestCancel } from '../coordination/operations/rows.ts';
import { stored, timeOrNull } from './accounts/present.ts';
import { type ActionContext, type HandlersOf, notFound } from './context.ts';
import { page, pageAnswer } from './paging.ts';

export function operationHandlers(
  kinds: OperationKinds,
): HandlersOf<'listOperations' | 'getOperation' | 'cancelOperation'> {
  return {
    async listOperations(context, input) {
      let query = context.trx
        .selectFrom('operations')
        .selectAll()
        .where('account_id', '=', context.accountId);
      if (input.state !== undefined) query = query.where('state', '=', input.state);
      if (input.kind !== undefined) query = query.where('kind', '=', input.kind);
      const found = await page(query, input, { by: 'id', direction: 'desc' });
      return { operations: found.rows.map((row) => showOperation(row, kinds)), ...pageAnswer(found) };
    },

    async getOperation(context, input) {
      const row = await rowOf(context, input.operation_id).executeTakeFirst();
      if (row === undefined) throw notFound('operation', input.operation_id);
      return { operation: showOperation(row, kinds) };
    },

    async cancelOperation(context, input) {
      const row = await rowOf(context, input.operation_id).forUpdate().executeTakeFirst();
      if (row === undefined) throw notFound('operation', input.operation_id);
      const kind = kinds.get(row.kind);
      if (kind === undefined || kind.cancel === null) {
        throw new ProductError('conflict', `An operation of the kind ${row.kind} cannot be cancelled.`);
      }
      // Whoever may not begin it may not end it either.
      refuseWithout(context, kind.permission);
      const after = await requestCancel(context, row, input.reason ?? null);
      return { operation: showOperation(after, kinds) };
    },
  };
}

function rowOf({ trx, accountId }: ActionContext, id: string) {
  return trx.selectFrom('operations').selectAll().where('id', '=', id).where('account_id', '=', accountId);
}

/** What its steps remember for one another is no business of readers. */
function showOperation(row: OperationRow, kinds: OperationKinds): z.output<typeof operation> {
  const kind = kinds.get(row.kind);
  const steps = kind?.steps.map(({ name }) => name) ?? [row.step];
  const isOver = row.ended_at !== null;
  return {
    ...stored(row),
    kind: row.kind,
    summary: row.summary,
    subject_id: row.subject_id,
    state: row.state,
    steps,
    step: isOver ? null : row.step,
    steps_done: row.state === 'succeeded' ? steps.length : Math.max(steps.indexOf(row.step), 0),
    detail: row.detail,
    attempts: row.attempts,
    next_attempt_at: isOver ? null : row.due_at.toISOString(),
    cancellable: !isOver && kind !== undefined && kind.cancel !== null,
    cancel_requested_at: timeOrNull(row.cancel_requested_at),
    input: row.input,
    result: row.result,
    error: row.error,
    requested_by: { id: row.requested_by, name: row.requested_by_name },
    correlation_id: row.correlation_id,
    ended_at: timeOrNull(row.ended_at),
  };
}
