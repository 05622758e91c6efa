// Requests of the platform itself to people: that a virtual IP be moved, with the plan and the evidence. One waits at a
// time for each virtual IP; when nothing has to move any more it is taken back.

import { definitionOf } from '@powernode/core/actions/catalogue';
import type { InstanceId } from '@powernode/core/ids';
import { sql } from 'kysely';
import type { ActionContext, Trx } from '../../actions/context.ts';
import { requestOfPlatform, withdrawRequests } from '../../actions/gate/approvals.ts';
import { fieldsOf } from '../../actions/gate/plan-fields.ts';
import { type VirtualIpRow, virtualIpModel } from '../../actions/sdwan/virtual-ips/model.ts';
import { showVirtualIp } from '../../actions/sdwan/virtual-ips/present-virtual-ip.ts';
import { failoverCategory } from './policy.ts';
import type { PendingRequest } from './ports.ts';

const action = definitionOf('failoverVirtualIp').name;

/** Answers with the request that waits now. */
export async function askForApproval(
  context: ActionContext,
  of: {
    readonly row: VirtualIpRow;
    readonly request: { readonly target: string; readonly detail: string };
    readonly hostnameOf: (instanceId: InstanceId) => string;
  },
): Promise<PendingRequest> {
  const { row, request } = of;
  const waiting = (await pendingRequests(context.trx)).find((one) => one.virtualIpId === row.id);
  if (waiting !== undefined) return waiting;
  const model = virtualIpModel(row);
  const after = { ...model, holder: request.target, epoch: model.epoch + 1 };
  const change = { kind: 'item_changed' as const, networkId: row.network_id, before: model, after };
  const shown = showVirtualIp(row);
  const plan = {
    ...(await fieldsOf(context, {
      before: shown,
      after: { ...shown, current_holder_peer_id: request.target },
    })),
    ...context.services.deliverer.plan([change], of.hostnameOf),
    evidence: request.detail,
  };
  const approval = await requestOfPlatform(context, {
    action: 'failoverVirtualIp',
    category: failoverCategory,
    summary: `Move the virtual IP ${row.name} (${row.address}): ${request.detail}`,
    input: { virtual_ip_id: row.id, target_peer_id: request.target },
    plan,
  });
  return { id: approval.id, virtualIpId: row.id, target: request.target };
}

export function withdrawApproval(context: ActionContext, id: string, why: string): Promise<void> {
  return withdrawRequests(context, { action: 'failoverVirtualIp', why, where: sql<boolean>`id = ${id}` });
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
