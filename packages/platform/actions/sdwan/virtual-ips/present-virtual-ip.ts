// Virtual IPs as the outside sees them, with what became of them.
import type { VirtualIp, virtualIpTransition } from '@powernode/core/intent/virtual-ip';
import { transitionsShown } from '@powernode/core/limits/overlay';
import type { z } from 'zod';
import { stored, timeOrNull } from '../../accounts/present.ts';
import { type ActionContext, notFound } from '../../context.ts';
import type { VirtualIpRow } from './model.ts';

export async function virtualIpRow(context: ActionContext, id: string): Promise<VirtualIpRow> {
  return found(id, await byId(context, id).executeTakeFirst());
}

/** Holds the row: the process that leads writes to it without the account's lock. */
export async function lockVirtualIp(context: ActionContext, id: string): Promise<VirtualIpRow> {
  return found(id, await byId(context, id).forUpdate().executeTakeFirst());
}

function byId(context: ActionContext, id: string) {
  return context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId);
}

function found(id: string, row: VirtualIpRow | undefined): VirtualIpRow {
  if (row === undefined) throw notFound('virtual IP', id);
  return row;
}

export function showVirtualIp(row: VirtualIpRow): VirtualIp {
  return {
    ...stored(row),
    network_id: row.network_id,
    name: row.name,
    address: row.address,
    ipv4_address: row.ipv4_address,
    anycast: row.anycast,
    state: row.state,
    state_detail: row.state_detail,
    primary_holder_peer_id: row.primary_holder_peer_id,
    failover_holder_peer_ids: row.failover_holder_peer_ids,
    current_holder_peer_id: row.current_holder_peer_id,
    preempt: row.preempt,
    hold_down_seconds: row.hold_down_seconds,
    epoch: row.epoch,
    last_transition_at: timeOrNull(row.last_transition_at),
    health_check: row.health_check,
  };
}

export async function transitionsOf(
  context: ActionContext,
  virtualIpId: string,
): Promise<z.output<typeof virtualIpTransition>[]> {
  const rows = await context.trx
    .selectFrom('virtual_ip_transitions')
    .selectAll()
    .where('virtual_ip_id', '=', virtualIpId)
    .orderBy('id', 'desc')
    .limit(transitionsShown)
    .execute();
  return rows.map((row) => ({
    at: row.at.toISOString(),
    from_peer_id: row.from_peer_id,
    to_peer_id: row.to_peer_id,
    reason: row.reason,
    detail: row.detail,
    actor: row.actor,
    epoch: row.epoch,
    took_ms: row.took_ms,
  }));
}
