// Handlers: approvals. Deciding runs the deferred operation as its requester, in one transaction with the decision.
import { actionKeyOf, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError, problemOf } from '@powernode/core/errors';
import { ApproverLacksRight } from '../../access/rights.ts';
import { withoutTokens } from '../../trust/tokens.ts';
import { stored, timeOrNull } from '../accounts/present.ts';
import { type ActionContext, checkRevision, type Handler, type HandlersOf, notFound } from '../context.ts';
import { type ApprovalRow, lockedRequest, recordDecision } from '../gate/approvals.ts';
import { type RenewShown, refuseUnlikeShown, revisionShown, UnlikeShown } from '../gate/renew-shown.ts';
import type { RunDeferred } from '../gate/run-deferred.ts';
import { page, pageAnswer } from '../paging.ts';
import { fetchSecret, isToFetch, secretOfOutcome, showSecretState } from './once-secrets.ts';

/** Lists show the plans of the last time that somebody looked; one request is looked at anew. */
export function approvalHandlers(renew: RenewShown): HandlersOf<'listApprovals' | 'getApproval'> {
  return {
    async listApprovals(context, input) {
      let query = context.trx.selectFrom('approvals').selectAll().where('account_id', '=', context.accountId);
      if (input.status !== undefined) query = query.where('status', '=', input.status);
      const found = await page(query, input, { by: 'id', direction: 'desc' });
      return { approvals: found.rows.map((row) => showApproval(row, context)), ...pageAnswer(found) };
    },

    async getApproval(context, input) {
      const before = await approvalRow(context, input.approval_id);
      // To try it takes the lock of the account, which not everybody who may read requests is given.
      const isDecider = context.caller.permissions.has('system.approvals.decide');
      const row = isDecider ? await renew(context, before) : before;
      if (!input.show_secret || !isToFetch(context, row)) return { approval: showApproval(row, context) };
      return { approval: await approvalWithSecret(context, row.id) };
    },
  };
}

/** Of two that fetch at once the second finds it shown. What stands in the way of the secret does not hide the rest. */
async function approvalWithSecret(context: ActionContext, id: string) {
  const row = await lockApproval(context, id);
  if (!isToFetch(context, row)) return showApproval(row, context);
  try {
    const fetched = await context.attempt(() => fetchSecret(context, row));
    return { ...showApproval(fetched.row, context), result: fetched.result };
  } catch (thrown) {
    if (!(thrown instanceof ProductError) || thrown.code === 'database_unavailable') throw thrown;
    return { ...showApproval(row, context), secret: showSecretState(row, context, thrown.detail) };
  }
}

export function decideApproval(run: RunDeferred): Handler<'decideApproval'> {
  return async (context, input) => {
    const before = await lockApproval(context, input.approval_id);
    refuseDecided(context, before);
    checkRevision(before, input);
    if (input.decision === 'approve') refuseUnfitApprover(context, before);
    const outcome: Outcome =
      input.decision === 'reject' ? { status: 'rejected' } : await attempt(context, { run, before });
    const after = await recordDecision(context, before, {
      reason: input.reason ?? null,
      ...columnsOf(outcome),
      ...(outcome.status === 'approved' ? secretOfOutcome(context, before) : {}),
    });
    context.event(
      `system.approval.${after.status}`,
      { approval_id: after.id, action: after.action, summary: after.summary, reason: after.reason },
      after.status === 'failed' ? 'error' : 'info',
    );
    const later = context.laterAnswer;
    if (later !== null) {
      context.answerAfterCommit(async (read) => ({
        approval: showApproval({ ...after, result: { ...after.result, ...(await later(read)) } }, context),
      }));
    }
    return { approval: showApproval(after, context) };
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
  const { run, before } = deferred;
  const revision = revisionShown(before);
  try {
    const { body, done } = await context.attempt(() => run(context, { row: before, action, revision }));
    refuseUnlikeShown(before, done);
    return { status: 'approved', whole: body };
  } catch (thrown) {
    if (thrown instanceof UnlikeShown) throw thrown;
    if (revision !== undefined && isOfRevision(thrown))
      throw new UnlikeShown('of its object', thrown.members);
    if (thrown instanceof ApproverLacksRight) throw thrown;
    if (!(thrown instanceof ProductError) || thrown.code === 'database_unavailable') throw thrown;
    return { status: 'failed', error: JSON.stringify(problemOf(thrown)) };
  }
}

function isOfRevision(thrown: unknown): thrown is ProductError {
  return thrown instanceof ProductError && thrown.code === 'revision_conflict';
}

/** Whoever approves something must be allowed to do it. */
function refuseUnfitApprover(context: ActionContext, row: ApprovalRow): void {
  const action = actionKeyOf(row.action);
  const permission = action === undefined ? null : definitionOf(action).permission;
  if (permission === null || context.caller.permissions.has(permission)) return;
  throw new ProductError(
    'permission_denied',
    `Approving this needs the permission ${permission} too. Ask someone who has it to decide, or reject it.`,
    { members: { permission } },
  );
}

function refuseDecided(context: ActionContext, row: ApprovalRow): void {
  if (row.status !== 'pending') {
    throw new ProductError('conflict', `It is ${row.status} already; a decision is final.`);
  }
  if (row.expires_at <= context.now) {
    throw new ProductError('conflict', 'Nobody decided in time, so it was rejected. Request it again.');
  }
}

async function approvalRow(context: ActionContext, id: string): Promise<ApprovalRow> {
  const row = await context.trx
    .selectFrom('approvals')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  return found(id, row);
}

/** Of two decisions the second finds it decided. */
async function lockApproval(context: ActionContext, id: string): Promise<ApprovalRow> {
  return found(id, await lockedRequest(context, id));
}

function found(id: string, row: ApprovalRow | undefined): ApprovalRow {
  if (row === undefined) throw notFound('approval', id);
  return row;
}

function showApproval(row: ApprovalRow, context: Pick<ActionContext, 'now'>) {
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
    secret: showSecretState(row, context),
  };
}
