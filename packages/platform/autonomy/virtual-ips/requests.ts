// Requests of the platform itself to people: that a virtual IP be moved, with the plan and the evidence. One waits at a
// time for each virtual IP; when nothing has to move any more it is taken back.
import { definitionOf } from '@powernode/core/actions/catalogue';
import { approvalExpiryMs } from '@powernode/core/limits';
import { type ActionContext, type Trx } from '../../actions/context.ts';
import { type VirtualIpRow, virtualIpModel } from '../../deliver/item-models.ts';
import { failoverCategory } from './policy.ts';

const action = definitionOf('failoverVirtualIp').name;

export interface PendingRequest {
  readonly id: string;
  readonly virtualIpId: string;
  readonly target: string;
}

/** Answers with the request that waits now. */
export async function askForApproval(
  context: ActionContext,
  of: {
    readonly row: VirtualIpRow;
    readonly request: { readonly target: string; readonly detail: string };
    readonly hostnameOf: (instanceId: string) => string;
  },
): Promise<PendingRequest> {
  const { row, request } = of;
  const waiting = (await pendingRequests(context.trx)).find((one) => one.virtualIpId === row.id);
  if (waiting !== undefined) return waiting;
  const model = virtualIpModel(row);
  const after = { ...model, holder: request.target, epoch: model.epoch + 1 };
  const change = { kind: 'item_changed' as const, networkId: row.network_id, before: model, after };
  const plan = {
    ...context.services.deliverer.plan([change], of.hostnameOf),
    evidence: request.detail,
  };
  const summary = `Move the virtual IP ${row.name} (${row.address}): ${request.detail}`;
  const approval = await context.trx
    .insertInto('approvals')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      action,
      category: failoverCategory,
      summary,
      input: JSON.stringify({ virtual_ip_id: row.id, target_peer_id: request.target }),
      plan: JSON.stringify(plan),
      status: 'pending',
      requested_by: null,
      requested_by_name: context.caller.operatorName,
      requested_token_id: null,
      expires_at: new Date(context.now.getTime() + approvalExpiryMs),
      correlation_id: context.correlationId,
      created_at: context.now,
    })
    .returning(['id', 'expires_at'])
    .executeTakeFirstOrThrow();
  context.event(
    'system.approval.requested',
    { approval_id: approval.id, action, summary, expires_at: approval.expires_at.toISOString() },
    'warning',
  );
  return { id: approval.id, virtualIpId: row.id, target: request.target };
}

export async function withdrawApproval(context: ActionContext, id: string, why: string): Promise<void> {
  const row = await context.trx
    .updateTable('approvals')
    .set((eb) => ({
      status: 'rejected' as const,
      reason: `Withdrawn: ${why}`,
      decided_by_name: context.caller.operatorName,
      decided_at: context.now,
      updated_at: context.now,
      revision: eb('revision', '+', 1),
    }))
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .returning(['id', 'summary', 'reason'])
    .executeTakeFirst();
  if (row === undefined) return;
  context.event('system.approval.rejected', {
    approval_id: row.id,
    action,
    summary: row.summary,
    reason: row.reason,
  });
}

/** All that the platform waits for, of the accounts that the transaction sees. */
export async function pendingRequests(trx: Trx): Promise<PendingRequest[]> {
  const rows = await trx
    .selectFrom('approvals')
    .select(['id', 'input'])
    .where('action', '=', action)
    .where('status', '=', 'pending')
    .where('requested_by', 'is', null)
    .where('requested_token_id', 'is', null)
    .execute();
  return rows.flatMap(({ id, input }) => {
    const { virtual_ip_id: virtualIpId, target_peer_id: target } = input;
    return typeof virtualIpId === 'string' && typeof target === 'string' ? [{ id, virtualIpId, target }] : [];
  });
}
