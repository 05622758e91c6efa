// The one writer of approvals: a request that waits for a decision is written instead of the change, by a caller or by
// the platform itself; one that its caller decides at once is recorded as decided.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import {
  approvalExpiryMs,
  pendingOfModelsPerAccountMax,
  pendingPerAccountMax,
  pendingPerRequesterMax,
} from '@powernode/core/limits/requests';
import { type Selectable, sql } from 'kysely';
import type { Database } from '../../store/tables.ts';
import { type ActionContext, parameterOf } from '../context.ts';

export type ApprovalRow = Selectable<Database['approvals']>;

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
    same_breath: true,
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
