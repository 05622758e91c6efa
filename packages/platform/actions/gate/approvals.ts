// Requests that wait for a decision: written instead of the change, decided later or in the same breath.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import type { ObjectType } from '@powernode/core/explain/trail';
import { approvalExpiryMs } from '@powernode/core/limits';
import type { Selectable } from 'kysely';
import type { Database } from '../../store/tables.ts';
import type { ActionContext } from '../context.ts';
import { withNames } from '../sdwan/firewall/names.ts';

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
    .values({ ...(await columnsOf(context, wanted)), plan: JSON.stringify(wanted.plan), status: 'pending' })
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
      ...(await columnsOf(context, wanted)),
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

async function columnsOf(context: ActionContext, wanted: Wanted) {
  const action = definitionOf(wanted.action);
  return {
    id: context.services.newId(),
    account_id: context.accountId,
    action: action.name,
    category: action.category?.name ?? '',
    summary: await summaryOf(context, wanted),
    input: JSON.stringify(wanted.input),
    requested_by: context.caller.operatorId,
    requested_by_name: context.caller.operatorName,
    requested_token_id: context.caller.tokenId,
    expires_at: new Date(context.now.getTime() + approvalExpiryMs),
    correlation_id: context.correlationId,
    created_at: context.now,
  };
}

/** "Delete a network: office", by the name of the object that the action answers with, or of the one that it is about. */
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

const nameable: Readonly<Record<string, ObjectType>> = {
  network_id: 'network',
  peer_id: 'peer',
  virtual_ip_id: 'virtual_ip',
  port_mapping_id: 'port_mapping',
  firewall_rule_id: 'firewall_rule',
  user_device_id: 'user_device',
};

/** null: such objects have no other name, or it is gone by now. */
async function nameOfSubject(
  context: ActionContext,
  subject: string | null,
  id: unknown,
): Promise<string | null> {
  const type = nameable[subject ?? ''];
  if (type === undefined || typeof id !== 'string') return null;
  const name = await withNames(context, (nameOf) => nameOf({ type, id }));
  return name === id ? null : name;
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
