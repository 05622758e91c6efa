// Asking twice for the same waits once. The request that waits already is the answer; what it would change is looked
// at anew each time, so that whoever decides sees the plan of the last time that somebody asked.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { canonicalJson } from '@powernode/core/compile/digest';
import { sql } from 'kysely';
import { tokenState } from '../../access/callers.ts';
import { readInPlatform } from '../../store/tenancy.ts';
import type { ActionContext } from '../context.ts';
import { type ApprovalRow, renewPlan } from './approvals.ts';
import { comparablePlan } from './comparable-plan.ts';

interface Asked {
  readonly action: ActionKey;
  readonly input: Readonly<Record<string, unknown>>;
  readonly plan: unknown;
  /** The caller names this request by an Idempotency-Key of its own: another one is another request. */
  readonly named: boolean;
}

/**
 * The pending request of the account with the same action and parameters, or null.
 *
 * Who asked for it does not matter, as long as that operator and token may still have it done: the operation is the
 * same whoever asks. What creates something is different: two requests may mean two objects, and a secret goes to whoever
 * asked for it. Those are one only when the same token repeats itself without an Idempotency-Key.
 */
export async function pendingAlike(context: ActionContext, asked: Asked): Promise<ApprovalRow | null> {
  const action = definitionOf(asked.action);
  if (action.creates && asked.named) return null;
  await oneAtATime(context, action.name);
  const text = comparable(asked.action, asked.input);
  const rows = await context.trx
    .selectFrom('approvals')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('status', '=', 'pending')
    .where('action', '=', action.name)
    .where('expires_at', '>', context.now)
    .orderBy('id', 'desc')
    .forUpdate()
    .execute();
  for (const row of rows) {
    if (comparable(asked.action, row.input) !== text) continue;
    if (action.creates && row.requested_token_id !== context.caller.tokenId) continue;
    if (await mayStillAsk(context, row, asked.action)) return renewed(context, row, asked);
  }
  return null;
}

/** What ends an object is the same request at whichever revision of it somebody saw it. */
function comparable(key: ActionKey, input: Asked['input']): string {
  const { if_revision: _, ...rest } = input;
  return canonicalJson(stored(definitionOf(key).hints.destructive ? rest : input));
}

/** Two equal requests at the same moment: the second one finds the first. */
async function oneAtATime(context: ActionContext, action: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${context.accountId} ${action}`}, 0))`.execute(
    context.trx,
  );
}

/** Parameters as the table gives them back: without those that are not there. */
function stored(input: Asked['input']): unknown {
  return JSON.parse(JSON.stringify(input)) as unknown;
}

/** One whose requester has lost the right would fail when it is approved. */
async function mayStillAsk(context: ActionContext, row: ApprovalRow, key: ActionKey): Promise<boolean> {
  if (row.requested_token_id === context.caller.tokenId) return true;
  if (row.requested_token_id === null) return false;
  const { requested_token_id: tokenId } = row;
  const requester = await readInPlatform(context.trx, (trx) => tokenState(trx, { tokenId }, context.now));
  const { permission } = definitionOf(key);
  if (requester.kind === 'bad') return false;
  return permission === null || requester.caller.permissions.has(permission);
}

async function renewed(context: ActionContext, row: ApprovalRow, asked: Asked): Promise<ApprovalRow> {
  const { operatorId } = context.caller;
  if (row.requested_by !== operatorId) {
    context.event('system.approval.asked_again', {
      approval_id: row.id,
      action: row.action,
      summary: row.summary,
    });
  }
  if (comparablePlan(row.plan) === comparablePlan(asked.plan)) return row;
  return renewPlan(context, row, asked.plan);
}
