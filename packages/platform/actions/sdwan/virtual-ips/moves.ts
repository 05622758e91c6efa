// What is written when a virtual IP moves: it is taken from its holder, and given to the next one when nobody answers
// for it any more. Taking it away is always safe, and any process may do it; giving it is only for the one that leads
// (autonomy/failover), which knows when that is so.

import { transitionsKeptPerVirtualIp } from '@powernode/core/limits/overlay';
import type { VirtualIpMove } from '../../../store/virtual-ip-columns.ts';
import type { ActionContext } from '../../context.ts';
import { itemChanged } from '../item-changed.ts';
import { type VirtualIpRow, virtualIpModel } from './model.ts';
import {
  type Away,
  awayColumns,
  finishedColumns,
  type Given,
  givenColumns,
  healthyColumns,
  type MoveColumns,
  unassignedColumns,
} from './move-columns.ts';
import { showVirtualIp } from './present-virtual-ip.ts';
import { endSilentHolder, errorSince } from './silent-holder.ts';

type Columns = Partial<
  Pick<
    VirtualIpRow,
    | 'primary_holder_peer_id'
    | 'current_holder_peer_id'
    | 'releasing_peer_id'
    | 'release_sequence'
    | 'successor_peer_id'
    | 'epoch'
    | 'state'
    | 'state_detail'
    | 'last_transition_at'
    | 'error_since'
    | 'name'
    | 'preempt'
    | 'hold_down_seconds'
  >
> & {
  readonly failover_holder_peer_ids?: string;
  readonly transition?: string | null;
  readonly health_check?: string | null;
  readonly failed_checks?: string;
};

/** Writes the row and the change that follows for the network. */
export async function writeVirtualIp(
  context: ActionContext,
  before: VirtualIpRow,
  columns: Columns,
): Promise<VirtualIpRow> {
  const after = await updateRow(context, before, { ...columns, revision: before.revision + 1 });
  itemChanged(context, virtualIpModel, { before, after, decidedBy });
  return after;
}

/** Writes the row, and what stays of the finding that its holder is silent when that is over. */
export async function updateRow(
  context: ActionContext,
  before: VirtualIpRow,
  columns: Columns & { readonly revision?: number },
): Promise<VirtualIpRow> {
  const { now } = context;
  const { state = before.state } = columns;
  const after = await context.trx
    .updateTable('virtual_ips')
    .set({ ...columns, error_since: errorSince(before, state, now), updated_at: now })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (after.state !== 'error') await endSilentHolder(context, before);
  return after;
}

/** More is decided by a virtual IP than the compiler sees of it, but nothing by its name. */
function decidedBy({
  name: _name,
  updated_at: _at,
  revision: _revision,
  error_since: _since,
  ...rest
}: VirtualIpRow): object {
  return rest;
}

/** As the database takes them. */
function stored({ transition, failed_checks: failed, ...columns }: MoveColumns): Columns {
  return {
    ...columns,
    ...(transition === undefined ? {} : { transition: transition && JSON.stringify(transition) }),
    ...(failed === undefined ? {} : { failed_checks: JSON.stringify(failed) }),
  };
}

async function writingOf(context: ActionContext) {
  return { actor: context.caller.operatorName, now: context.now, sequence: await context.lock() };
}

/** Takes it from its holder. Whoever calls has locked the account. */
export async function revokeAddress(
  context: ActionContext,
  before: VirtualIpRow,
  away: Away,
): Promise<VirtualIpRow> {
  const holder = before.current_holder_peer_id;
  if (holder === null) throw new Error(`virtual IP ${before.id} has no holder to take it from`);
  const instance = await context.trx
    .selectFrom('peers')
    .select('instance_id')
    .where('id', '=', holder)
    .executeTakeFirst();
  const at = { ...(await writingOf(context)), holder, holderInstanceId: instance?.instance_id ?? null };
  const holderFails = away.reason === 'by_hand' && (await isFailing(context, before, holder));
  const columns = awayColumns(before, { ...away, holderFails }, at);
  const after = await writeVirtualIp(context, before, stored(columns));
  planArrival(context, after);
  reportFailingOver(context, { before, after, move: columns.transition });
  return after;
}

/** Whether the health check of its holder fails, as far as that has reported. */
async function isFailing({ trx }: ActionContext, row: VirtualIpRow, holder: string): Promise<boolean> {
  if (row.health_check === null) return false;
  const found = await trx
    .selectFrom('virtual_ip_health')
    .select('health')
    .where('virtual_ip_id', '=', row.id)
    .where('peer_id', '=', holder)
    .executeTakeFirst();
  return found?.health === 'failing';
}

/** The next holder gets it in a change of its own, later. A trial has no later, and its plan is to name it. */
export function planArrival(context: ActionContext, row: VirtualIpRow): void {
  if (!context.dryRun || row.successor_peer_id === null) return;
  const before = virtualIpModel(row);
  const after = { ...before, holder: row.successor_peer_id, epoch: before.epoch + 1 };
  context.change({ kind: 'item_changed', networkId: row.network_id, before, after });
}

/** Gives it to a peer, after nobody can answer for it any more. Whoever calls has locked the account. */
export async function grantTo(
  context: ActionContext,
  before: VirtualIpRow,
  given: Given,
): Promise<VirtualIpRow> {
  const columns = givenColumns(before, given, await writingOf(context));
  const { transition: move } = columns;
  // What former holders found says nothing any more.
  await context.trx
    .deleteFrom('virtual_ip_health')
    .where('virtual_ip_id', '=', before.id)
    .where('peer_id', '<>', given.to)
    .execute();
  const after = await writeVirtualIp(context, before, stored(columns));
  await recordTransition(context, { row: after, move, to: given.to });
  if (before.current_holder_peer_id !== null) reportFailingOver(context, { before, after, move });
  return after;
}

/** Nothing that a node is to do follows from it. */
export async function noteHealthy(
  context: ActionContext,
  before: VirtualIpRow,
  holder: string,
): Promise<VirtualIpRow> {
  return updateRow(context, before, stored(healthyColumns(before, holder)));
}

/** Nobody has it, and nobody can: what was under way is at its end. */
export async function leaveUnassigned(
  context: ActionContext,
  before: VirtualIpRow,
  detail: string,
): Promise<VirtualIpRow> {
  const { transition: move } = before;
  const after = await writeVirtualIp(context, before, stored(unassignedColumns(detail, context.now)));
  if (move !== null) await recordTransition(context, { row: after, move, to: null });
  const shown = { before: showVirtualIp(before), after: showVirtualIp(after) };
  context.event('sdwan.virtual_ip.unassigned', { ...shown, detail }, 'error');
  return after;
}

export async function recordTransition(
  context: ActionContext,
  of: { readonly row: VirtualIpRow; readonly move: VirtualIpMove; readonly to: string | null },
): Promise<void> {
  const { row, move, to } = of;
  await context.trx
    .insertInto('virtual_ip_transitions')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      virtual_ip_id: row.id,
      at: new Date(move.decided_at),
      from_peer_id: move.from_peer_id,
      to_peer_id: to,
      reason: move.reason,
      detail: move.detail,
      actor: move.actor,
      epoch: row.epoch,
      took_ms: null,
    })
    .execute();
}

/** The new holder has applied it. */
export async function finishMove(context: ActionContext, before: VirtualIpRow): Promise<VirtualIpRow> {
  const { transition: move } = before;
  const after = await updateRow(context, before, stored(finishedColumns()));
  if (move === null) return after;
  const tookMs = Math.max(context.now.getTime() - Date.parse(move.decided_at), 0);
  await context.trx
    .updateTable('virtual_ip_transitions')
    .set({ took_ms: tookMs })
    .where('virtual_ip_id', '=', before.id)
    .where('epoch', '=', before.epoch)
    .execute();
  await forgetOldTransitions(context, before.id);
  const kind = move.reason === 'created' ? 'active' : 'failed_over';
  context.event(`sdwan.virtual_ip.${kind}`, {
    before: showVirtualIp(before),
    after: showVirtualIp(after),
    from_peer_id: move.from_peer_id,
    to_peer_id: after.current_holder_peer_id,
    reason: move.reason,
    detail: move.detail,
    took_ms: tookMs,
  });
  return after;
}

async function forgetOldTransitions(context: ActionContext, virtualIpId: string): Promise<void> {
  await context.trx
    .deleteFrom('virtual_ip_transitions')
    .where('virtual_ip_id', '=', virtualIpId)
    .where('id', '<', (eb) =>
      eb
        .selectFrom('virtual_ip_transitions')
        .select('id')
        .where('virtual_ip_id', '=', virtualIpId)
        .orderBy('id', 'desc')
        .offset(transitionsKeptPerVirtualIp - 1)
        .limit(1),
    )
    .execute();
}

function reportFailingOver(
  context: ActionContext,
  of: { readonly before: VirtualIpRow; readonly after: VirtualIpRow; readonly move: VirtualIpMove },
): void {
  const { before, after, move } = of;
  context.event(
    'sdwan.virtual_ip.failing_over',
    {
      before: showVirtualIp(before),
      after: showVirtualIp(after),
      from_peer_id: move.from_peer_id,
      to_peer_id: after.current_holder_peer_id ?? after.successor_peer_id,
      reason: move.reason,
      detail: move.detail,
    },
    'warning',
  );
}
