// The one writer of approvals. A request that waits for a decision is written instead of the change, by a caller or by
// the platform itself; one that its caller decides at once is recorded as decided. Requests are decided, withdrawn, found
// outdated and expired here as well.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import {
  approvalExpiryMs,
  pendingOfModelsPerAccountMax,
  pendingPerAccountMax,
  pendingPerRequesterMax,
} from '@powernode/core/limits/requests';
import { type Expression, type Selectable, type SqlBool, sql } from 'kysely';
import type { Database } from '../../store/tables.ts';
import { type ActionContext, parameterOf, type Trx } from '../context.ts';

export type ApprovalRow = Selectable<Database['approvals']>;

/** The request as nobody else changes it meanwhile; undefined: the account has none of that id. */
export function lockedRequest(context: ActionContext, id: string): Promise<ApprovalRow | undefined> {
  return context.trx
    .selectFrom('approvals')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .forUpdate()
    .executeTakeFirst();
}

interface Wanted {
  readonly action: ActionKey;
  readonly input: Readonly<Record<string, unknown>>;
  /** What the action answered, or would have. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The request of the caller, which waits for a decision. */
export async function requestOfCaller(
  context: ActionContext,
  wanted: Wanted & { readonly plan: unknown; readonly overMcp: boolean },
): Promise<ApprovalRow> {
  await refuseTooMany(context, wanted.overMcp);
  const draft = await draftOf(context, wanted);
  return writeRequest(context, { ...draft, requester: 'caller', ofModel: wanted.overMcp });
}

/**
 * A request of the platform itself: nobody's rights count but those of whoever approves it. Only one with the same
 * meaning should wait at a time, which its writer sees to.
 */
export function requestOfPlatform(context: ActionContext, draft: ApprovalDraft): Promise<ApprovalRow> {
  return writeRequest(context, { ...draft, requester: 'platform', ofModel: false });
}

/** `approve: true` by somebody who may decide: the approval is recorded as decided by the caller. */
export async function recordOwnApproval(context: ActionContext, wanted: Wanted): Promise<void> {
  const draft = await draftOf(context, { ...wanted, plan: null });
  const row = await insertApproval(context, {
    ...draft,
    requester: 'caller',
    ofModel: false,
    decided: {
      status: 'approved',
      decided_by: context.caller.operatorId,
      decided_by_name: context.caller.operatorName,
      decided_at: context.now,
    },
  });
  context.event('system.approval.approved', {
    approval_id: row.id,
    action: row.action,
    summary: row.summary,
    self_approved: true,
  });
}

export interface ApprovalDraft {
  readonly action: ActionKey;
  /** Of the policy that makes it wait, which is not always that of the action. */
  readonly category: string;
  /** One line for people. */
  readonly summary: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** null: none is kept. */
  readonly plan: unknown;
}

interface WrittenApproval extends ApprovalDraft {
  readonly requester: 'caller' | 'platform';
  /** Whether a model asks, whose requests count apart. */
  readonly ofModel: boolean;
  /** Left out: it waits. */
  readonly decided?: {
    readonly status: 'approved';
    readonly decided_by: string;
    readonly decided_by_name: string;
    readonly decided_at: Date;
  };
}

async function draftOf(
  context: ActionContext,
  wanted: Wanted & { readonly plan: unknown },
): Promise<ApprovalDraft> {
  const { action, input, plan } = wanted;
  const category = definitionOf(action).category?.name ?? '';
  return { action, category, summary: await summaryOf(context, wanted), input, plan };
}

async function writeRequest(context: ActionContext, wanted: WrittenApproval): Promise<ApprovalRow> {
  const row = await insertApproval(context, wanted);
  context.event(
    'system.approval.requested',
    {
      approval_id: row.id,
      action: row.action,
      summary: row.summary,
      expires_at: row.expires_at.toISOString(),
      ...(wanted.ofModel ? { over_mcp: true } : {}),
    },
    'warning',
  );
  return row;
}

/** The only statement that makes an approval. */
function insertApproval(context: ActionContext, wanted: WrittenApproval): Promise<ApprovalRow> {
  const { caller, now } = context;
  const isOfCaller = wanted.requester === 'caller';
  return context.trx
    .insertInto('approvals')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      action: definitionOf(wanted.action).name,
      category: wanted.category,
      summary: wanted.summary,
      input: JSON.stringify(wanted.input),
      plan: wanted.plan === null ? null : JSON.stringify(wanted.plan),
      status: 'pending',
      of_model: wanted.ofModel,
      requested_by: isOfCaller ? caller.operatorId : null,
      requested_by_name: caller.operatorName,
      requested_token_id: isOfCaller ? caller.tokenId : null,
      expires_at: new Date(now.getTime() + approvalExpiryMs),
      correlation_id: context.correlationId,
      created_at: now,
      ...wanted.decided,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The decision of the caller about a request whose row is locked, with what came of it. */
export function recordDecision(
  context: ActionContext,
  before: ApprovalRow,
  decision: {
    readonly status: 'approved' | 'rejected' | 'failed';
    readonly reason: string | null;
    /** As text. Left out: the columns stay as they are. */
    readonly result?: string | null;
    readonly error?: string | null;
    /** Since when and until when its requester can fetch a secret; left out: it has none. */
    readonly secret?: { readonly secret_state: 'waiting'; readonly secret_until: Date };
  },
): Promise<ApprovalRow> {
  const { secret, ...columns } = decision;
  return context.trx
    .updateTable('approvals')
    .set({
      ...columns,
      ...secret,
      decided_by: context.caller.operatorId,
      decided_by_name: context.caller.operatorName,
      decided_at: context.now,
      updated_at: context.now,
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The platform withdraws those of its own pending requests that fit `where`, and says so with an event each. */
export async function withdrawRequests(
  context: ActionContext,
  of: { readonly action: ActionKey; readonly why: string; readonly where: Expression<SqlBool> },
): Promise<void> {
  const action = definitionOf(of.action).name;
  const rows = await context.trx
    .updateTable('approvals')
    .set((eb) => ({
      status: 'rejected' as const,
      reason: `Withdrawn: ${of.why}`,
      decided_by_name: context.caller.operatorName,
      decided_at: context.now,
      updated_at: context.now,
      revision: eb('revision', '+', 1),
    }))
    .where('account_id', '=', context.accountId)
    .where('action', '=', action)
    .where('status', '=', 'pending')
    .where('requested_by', 'is', null)
    .where(of.where)
    .returning(['id', 'summary', 'reason'])
    .execute();
  for (const { id, summary, reason } of rows) {
    context.event('system.approval.rejected', { approval_id: id, action, summary, reason });
  }
}

/** Requests that nobody decided in time are rejected, of all accounts that the transaction sees. Answers with them. */
export function expireRequests(trx: Trx, at: Date, reason: string): Promise<ApprovalRow[]> {
  return trx
    .updateTable('approvals')
    .set((eb) => ({
      status: 'rejected' as const,
      reason,
      decided_at: at,
      updated_at: at,
      revision: eb('revision', '+', 1),
    }))
    .where('status', '=', 'pending')
    .where('expires_at', '<=', at)
    .returningAll()
    .execute();
}

/** Requests that can only fail by now: each gets the answer that its approval would have got. Their rows are locked. */
export async function failRequests(
  trx: Trx,
  failures: readonly { readonly id: string; readonly reason: string; readonly error: object }[],
  at: Date,
): Promise<void> {
  await sql`
    update approvals set status = 'failed', reason = why.reason, error = why.error,
      decided_at = ${at}, updated_at = ${at}, revision = approvals.revision + 1
    from jsonb_to_recordset(${JSON.stringify(failures)}::jsonb) as why(id uuid, reason text, error jsonb)
    where approvals.id = why.id
  `.execute(trx);
}

/** What the request would change was looked at anew. */
export function renewPlan(context: ActionContext, row: ApprovalRow, plan: unknown): Promise<ApprovalRow> {
  return context.trx
    .updateTable('approvals')
    .set({ plan: JSON.stringify(plan), updated_at: context.now, revision: row.revision + 1 })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The secret of an approved request was shown to its requester. The row is locked. */
export function recordSecretShown(context: ActionContext, row: ApprovalRow): Promise<ApprovalRow> {
  return context.trx
    .updateTable('approvals')
    .set({ secret_state: 'shown', updated_at: context.now, revision: row.revision + 1 })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Secrets that were not fetched in time are no more, of all accounts that the transaction sees. Answers with their rows. */
export function lapseUnfetchedSecrets(trx: Trx, at: Date): Promise<ApprovalRow[]> {
  return trx
    .updateTable('approvals')
    .set((eb) => ({ secret_state: 'lapsed', updated_at: at, revision: eb('revision', '+', 1) }))
    .where('secret_state', '=', 'waiting')
    .where('secret_until', '<=', at)
    .returningAll()
    .execute();
}

/**
 * "Delete a network: office", by the name of the object that the action answers with, or of the one that it is about.
 */
async function summaryOf(context: ActionContext, { action, input, body }: Wanted): Promise<string> {
  const { title, subject } = definitionOf(action);
  const [object] = Object.values(body);
  const shown = (typeof object === 'object' && object !== null ? object : {}) as Record<string, unknown>;
  const named = ['name', 'hostname', 'device_name_hint'].map((key) => shown[key]);
  const id = subject === null ? undefined : input[subject];
  const own = named.find((text) => typeof text === 'string');
  const called = own ?? (await nameOfSubject(context, subject, id)) ?? shown['id'] ?? id;
  return typeof called === 'string' ? `${title}: ${called}` : title;
}

/** null: such objects have no other name, or it is gone by now. */
async function nameOfSubject(
  context: ActionContext,
  subject: string | null,
  id: unknown,
): Promise<string | null> {
  const noun = context.services.nouns.find((one) => parameterOf(one) === subject);
  if (noun?.names === undefined || typeof id !== 'string') return null;
  return (await noun.names(context, [id])).get(id) ?? null;
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
      revision: row.revision,
    },
    plan: row.plan,
  };
}

/**
 * A limit of pending requests: people do not read more, and all of them are read when objects change. Requests of models
 * count apart, so that a model is only in its own way. Requests of the same moment may pass together; the next
 * one does not.
 */
async function refuseTooMany(context: ActionContext, ofModel: boolean): Promise<void> {
  const { operatorId } = context.caller;
  const waiting = await context.trx
    .selectFrom('approvals')
    .select([
      sql<number>`count(*)::int`.as('all'),
      sql<number>`(count(*) filter (where requested_by = ${operatorId}))::int`.as('own'),
    ])
    .where('account_id', '=', context.accountId)
    .where('status', '=', 'pending')
    .where('of_model', '=', ofModel)
    .where('expires_at', '>', context.now)
    .executeTakeFirstOrThrow();
  const whose = ofModel ? 'requests of models' : 'requests';
  if (waiting.own >= pendingPerRequesterMax) throw tooMany(`${waiting.own} of your ${whose}`);
  const allMax = ofModel ? pendingOfModelsPerAccountMax : pendingPerAccountMax;
  if (waiting.all >= allMax) throw tooMany(`${waiting.all} ${whose} of this account`);
}

function tooMany(what: string): ProductError {
  return new ProductError(
    'conflict',
    `${what} are pending, which is the limit. Have some of them decided (in the console under Approvals, or with: powernode approval decide), or wait until they expire.`,
  );
}
