// Handlers: approvals. Deciding runs the deferred operation as its requester, in one transaction with the decision.
import { actionKeyOf } from '@powernode/core/actions/catalogue';
import { ProductError, problemOf } from '@powernode/core/errors';
import { withoutTokens } from '../../trust/tokens.ts';
import { stored, timeOrNull } from '../accounts/present.ts';
import { type ActionContext, type Handler, type HandlersOf, notFound } from '../context.ts';
import type { ApprovalRow } from '../gate/approvals.ts';
import { page, pageAnswer } from '../paging.ts';

export const approvalHandlers: HandlersOf<'listApprovals' | 'getApproval'> = {
  async listApprovals(context, input) {
    let query = context.trx.selectFrom('approvals').selectAll().where('account_id', '=', context.accountId);
    if (input.status !== undefined) query = query.where('status', '=', input.status);
    const found = await page(query, input, { by: 'id', direction: 'desc' });
    return { approvals: found.rows.map(showApproval), ...pageAnswer(found) };
  },

  async getApproval(context, input) {
    return { approval: showApproval(await approvalRow(context, input.approval_id)) };
  },
};

/** Runs the action of an approval as the one who asked for it, inside the decider's transaction. */
export type RunDeferred = (
  context: ActionContext,
  deferred: { readonly row: ApprovalRow; readonly action: NonNullable<ReturnType<typeof actionKeyOf>> },
) => Promise<Record<string, unknown>>;

export function decideApproval(run: RunDeferred): Handler<'decideApproval'> {
  return async (context, input) => {
    const before = await lockApproval(context, input.approval_id);
    refuseDecided(context, before);
    const decided = {
      decided_by: context.caller.operatorId,
      decided_by_name: context.caller.operatorName,
      decided_at: context.now,
      reason: input.reason ?? null,
      updated_at: context.now,
      revision: before.revision + 1,
    };
    const outcome: Outcome =
      input.decision === 'reject' ? { status: 'rejected' } : await attempt(context, { run, before });
    const after = await context.trx
      .updateTable('approvals')
      .set({ ...decided, ...columnsOf(outcome) })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event(
      `system.approval.${after.status}`,
      { approval_id: after.id, action: after.action, summary: after.summary, reason: after.reason },
      after.status === 'failed' ? 'error' : 'info',
    );
    // A secret that the operation has made is shown once, here; what is kept does not have it.
    const result = 'whole' in outcome ? outcome.whole : after.result;
    const later = context.laterAnswer;
    if (later !== null) {
      context.answerAfterCommit(async (read) => ({
        approval: showApproval({ ...after, result: { ...result, ...(await later(read)) } }),
      }));
    }
    return { approval: showApproval({ ...after, result }) };
  };
}

type Outcome =
  | { readonly status: 'rejected' }
  | { readonly status: 'approved'; readonly whole: Record<string, unknown> }
  | { readonly status: 'failed'; readonly error: string };

function columnsOf(outcome: Outcome) {
  switch (outcome.status) {
    case 'rejected':
      return { status: outcome.status };
    case 'approved':
      return { status: outcome.status, result: withoutTokens(JSON.stringify(outcome.whole)), error: null };
    case 'failed':
      return { status: outcome.status, result: null, error: outcome.error };
  }
}

/** A failure of the operation is its outcome: the decision stands and says why nothing came of it. */
async function attempt(
  context: ActionContext,
  deferred: { readonly run: RunDeferred; readonly before: ApprovalRow },
): Promise<Outcome> {
  const action = actionKeyOf(deferred.before.action);
  if (action === undefined) {
    throw new ProductError('conflict', `This version has no action ${deferred.before.action}. Reject it.`);
  }
  try {
    const whole = await context.attempt(() => deferred.run(context, { row: deferred.before, action }));
    return { status: 'approved', whole };
  } catch (thrown) {
    if (!(thrown instanceof ProductError) || thrown.code === 'database_unavailable') throw thrown;
    return { status: 'failed', error: JSON.stringify(problemOf(thrown)) };
  }
}

function refuseDecided(context: ActionContext, row: ApprovalRow): void {
  if (row.status !== 'pending') {
    throw new ProductError('conflict', `It is ${row.status} already; a decision is final.`);
  }
  if (row.expires_at <= context.now) {
    throw new ProductError('conflict', 'Nobody answered in time, so it is rejected. Ask for it again.');
  }
}

async function approvalRow(context: ActionContext, id: string): Promise<ApprovalRow> {
  return found(id, await byId(context, id).executeTakeFirst());
}

/** Of two decisions the second finds it decided. */
async function lockApproval(context: ActionContext, id: string): Promise<ApprovalRow> {
  return found(id, await byId(context, id).forUpdate().executeTakeFirst());
}

function byId(context: ActionContext, id: string) {
  return context.trx
    .selectFrom('approvals')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId);
}

function found(id: string, row: ApprovalRow | undefined): ApprovalRow {
  if (row === undefined) throw notFound('approval', id);
  return row;
}

function showApproval(row: ApprovalRow) {
  return {
    ...stored(row),
    action: row.action,
    category: row.category,
    summary: row.summary,
    input: row.input,
    plan: row.plan,
    status: row.status,
    requested_by: { id: row.requested_by, name: row.requested_by_name },
    decided_by: row.decided_by_name === null ? null : { id: row.decided_by, name: row.decided_by_name },
    decided_at: timeOrNull(row.decided_at),
    reason: row.reason,
    expires_at: row.expires_at.toISOString(),
    result: row.result,
    error: row.error,
  };
}
