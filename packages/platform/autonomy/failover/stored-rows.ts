// The rows of virtual IPs in PostgreSQL. Each decision of the leader is one transaction, which throws and writes nothing
// when another process leads by then, or when the virtual IP is not any more what was decided about.
import type { AccountId, InstanceId } from '@powernode/core/ids';
import type { Phase, Reason } from '@powernode/core/virtual-ips/state';
import { v7 as uuidv7 } from 'uuid';
import type { ActionContext } from '../../actions/context.ts';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import {
  finishMove,
  grantTo,
  leaveUnassigned,
  noteHealthy,
  revokeAddress,
  updateRow,
} from '../../actions/sdwan/virtual-ips/moves.ts';
import { showVirtualIp } from '../../actions/sdwan/virtual-ips/present-virtual-ip.ts';
import type { StoredLeadership } from '../../coordination/stored-leadership.ts';
import { inSystemTransaction, type SystemCall, type SystemParts } from '../../coordination/system-actor.ts';
import { platformActor } from '../../events/write-events.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { failoverMode, failoverModes } from './policy.ts';
import { type Decision, type FailoverRows, StaleDecision } from './ports.ts';
import { askForApproval, pendingRequests, withdrawApproval } from './requests.ts';

export interface StoredRowsParts extends Omit<SystemParts, 'services'> {
  /** They are made after the rows, with the controller among them. */
  readonly services: () => SystemParts['services'];
  readonly leadership: Pick<StoredLeadership, 'confirm'>;
  readonly hostnameOf: (instanceId: InstanceId) => string;
}

export function storedFailoverRows(parts: StoredRowsParts): FailoverRows {
  const { store, leadership } = parts;
  const call = (accountId: AccountId): SystemCall => ({
    accountId,
    action: 'virtual_ip_failover',
    actor: platformActor,
    correlationId: uuidv7(),
  });
  const own = () => ({ ...parts, services: parts.services() });
  return {
    all: () => inPlatform(store, (trx) => trx.selectFrom('virtual_ips').selectAll().orderBy('id').execute()),
    byId: (ids) =>
      inPlatform(store, (trx) => trx.selectFrom('virtual_ips').selectAll().where('id', 'in', ids).execute()),
    snapshot: () =>
      inPlatform(store, async (trx) => ({
        rows: await trx.selectFrom('virtual_ips').selectAll().orderBy('id').execute(),
        modes: await failoverModes(trx),
        requests: await pendingRequests(trx),
      })),
    modes: () => inPlatform(store, failoverModes),
    requestStatuses: (ids) =>
      inPlatform(store, async (trx) => {
        const rows = await trx
          .selectFrom('approvals')
          .select(['id', 'status'])
          .where('id', 'in', ids)
          .execute();
        return new Map(rows.map(({ id, status }) => [id, status]));
      }),
    write: (decision) =>
      inSystemTransaction(own(), call(decision.accountId), async (context) => {
        await leadership.confirm(context.trx);
        const row = await perform(context, { decision, hostnameOf: parts.hostnameOf });
        context.whenCommitted(() => decision.committed(row));
      }),
    withdrawRequest: (accountId, approvalId) =>
      inSystemTransaction(own(), call(accountId), (context) =>
        withdrawApproval(context, approvalId, 'The virtual IP is gone.'),
      ),
  };
}

interface Writing {
  readonly decision: Decision;
  readonly hostnameOf: (instanceId: InstanceId) => string;
}

async function perform(context: ActionContext, { decision, hostnameOf }: Writing): Promise<VirtualIpRow> {
  const { effect } = decision;
  switch (effect.kind) {
    case 'revoke': {
      const sequence = await context.lock();
      const row = await lockedRow(context, decision);
      await requireMode(context, effect.reason);
      decision.confirm(sequence);
      const { successor, reason, detail } = effect;
      const { current_holder_peer_id: holder } = row;
      if (holder === null) throw new StaleDecision('no peer holds it any more');
      const terms = decision.oldTerms(holder);
      return revokeAddress(context, row, { successor, reason, detail, terms });
    }
    case 'grant': {
      const sequence = await context.lock();
      const row = await lockedRow(context, decision);
      if (row.current_holder_peer_id !== null) await requireMode(context, effect.reason);
      decision.confirm(sequence);
      return grantTo(context, row, effect);
    }
    case 'unassign':
      await context.lock();
      return leaveUnassigned(context, await lockedRow(context, decision), effect.detail);
    case 'complete':
      return finishMove(context, await lockedRow(context, decision));
    case 'note_healthy':
      return noteHealthy(context, await lockedRow(context, decision), effect.peerId);
    case 'set_phase':
      return writePhase(context, await lockedRow(context, decision), effect);
    case 'request_approval': {
      const row = await lockedRow(context, decision);
      if ((await failoverMode(context.trx, context.accountId)) !== 'require_approval') {
        throw new StaleDecision('the policy does not ask any more');
      }
      const { id, target } = await askForApproval(context, { row, request: effect, hostnameOf });
      context.whenCommitted(() => decision.requested({ id, target }));
      return row;
    }
    case 'withdraw_approval': {
      const row = await lockedRow(context, decision);
      if (decision.approvalId !== null) await withdrawApproval(context, decision.approvalId, effect.why);
      context.whenCommitted(() => decision.requested(null));
      return row;
    }
  }
}

/** The row as it is now, when it is still the one that was decided about. */
async function lockedRow(context: ActionContext, decision: Decision): Promise<VirtualIpRow> {
  const row = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('id', '=', decision.virtualIpId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new StaleDecision('it is gone');
  const { epoch, holder } = decision.expected;
  if (row.epoch !== epoch || row.current_holder_peer_id !== holder) {
    throw new StaleDecision('it has moved meanwhile');
  }
  return row;
}

/** Only what nobody has asked for is up to the policy. */
async function requireMode(context: ActionContext, reason: Reason): Promise<void> {
  if (reason !== 'holder_dead' && reason !== 'check_failed' && reason !== 'preempted') return;
  const mode = await failoverMode(context.trx, context.accountId);
  if (mode !== 'auto_approve' && mode !== 'notify_and_proceed')
    throw new StaleDecision('the policy does not allow it any more');
}

async function writePhase(
  context: ActionContext,
  before: VirtualIpRow,
  next: { readonly phase: Phase; readonly detail: string | null },
): Promise<VirtualIpRow> {
  const after = await updateRow(context, before, { state: next.phase, state_detail: next.detail });
  const kind = before.state === next.phase ? null : eventOf(next.phase);
  if (kind !== null) {
    const payload = { before: showVirtualIp(before), after: showVirtualIp(after), detail: next.detail };
    context.event(`sdwan.virtual_ip.${kind}`, payload, kind === 'recovered' ? 'info' : 'error');
  }
  return after;
}

function eventOf(phase: Phase): string | null {
  if (phase === 'error' || phase === 'unassigned') return phase;
  return phase === 'active' ? 'recovered' : null;
}
