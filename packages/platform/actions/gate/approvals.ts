// Requests that wait for a decision: written instead of the change, decided later or in the same breath.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { approvalExpiryMs } from '@powernode/core/limits';
import type { Selectable } from 'kysely';
import type { Database } from '../../store/tables.ts';
import type { ActionContext } from '../context.ts';

export type ApprovalRow = Selectable<Database['approvals']>;

interface Wanted {
  readonly action: ActionKey;
  readonly input: Readonly<Record<string, unknown>>;
  /** What the action answered, or would have. */
  readonly body: Readonly<Record<string, unknown>>;
}

export async function insertApproval(
  context: ActionContext,
  wanted: Wanted & { readonly plan: unknown },
): Promise<ApprovalRow> {
  const row = await context.trx
    .insertInto('approvals')
    .values({ ...columnsOf(context, wanted), plan: JSON.stringify(wanted.plan), status: 'pending' })
    .returningAll()
    .executeTakeFirstOrThrow();
  context.event(
    'system.approval.requested',
    {
      approval_id: row.id,
      action: row.action,
      summary: row.summary,
      expires_at: row.expires_at.toISOString(),
    },
    'warning',
  );
  return row;
}

/** `approve: true` by somebody who may decide: the approval is recorded as decided by the caller. */
export async function recordOwnApproval(context: ActionContext, wanted: Wanted): Promise<void> {
  const row = await context.trx
    .insertInto('approvals')
    .values({
      ...columnsOf(context, wanted),
      status: 'approved',
      decided_by: context.caller.operatorId,
      decided_by_name: context.caller.operatorName,
      decided_at: context.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  context.event('system.approval.approved', {
    approval_id: row.id,
    action: row.action,
    summary: row.summary,
    same_breath: true,
  });
}

function columnsOf(context: ActionContext, wanted: Wanted) {
  const action = definitionOf(wanted.action);
  return {
    id: context.services.newId(),
    account_id: context.accountId,
    action: action.name,
    category: action.category?.name ?? '',
    summary: summaryOf(wanted),
    input: JSON.stringify(wanted.input),
    requested_by: context.caller.operatorId,
    requested_by_name: context.caller.operatorName,
    requested_token_id: context.caller.tokenId,
    expires_at: new Date(context.now.getTime() + approvalExpiryMs),
    correlation_id: context.correlationId,
    created_at: context.now,
  };
}

/** "Delete a network: office", by the name of the object that the action answers with. */
function summaryOf({ action, body }: Wanted): string {
  const { title } = definitionOf(action);
  const [object] = Object.values(body);
  if (typeof object !== 'object' || object === null) return title;
  const { name, hostname, id } = object as { name?: unknown; hostname?: unknown; id?: unknown };
  const called = [name, hostname, id].find((text) => typeof text === 'string');
  return called === undefined ? title : `${title}: ${called}`;
}

/** What answers the call (contract §1). */
export function deferredAnswer(row: ApprovalRow): Record<string, unknown> {
  return {
    pending: true,
    deferred_operation: {
      id: row.id,
      action: row.action,
      summary: row.summary,
      expires_at: row.expires_at.toISOString(),
    },
  };
}
