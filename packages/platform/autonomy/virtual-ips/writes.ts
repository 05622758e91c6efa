// What the leading process writes about virtual IPs: each effect of the pure machine in one transaction, which is void
// when another process leads by then, or when the virtual IP is not any more what was decided about.
import type { Effect, Phase, Reason } from '@powernode/core/virtual-ips/state';
import { v7 as uuidv7 } from 'uuid';
import type { ActionContext } from '../../actions/context.ts';
import { type OwnParts, ofItsOwnAccord } from '../../actions/gate/of-its-own.ts';
import { finishMove, giveTo, leaveUnassigned, takeAway } from '../../actions/sdwan/virtual-ips/moves.ts';
import { showVirtualIp } from '../../actions/sdwan/virtual-ips/present-virtual-ip.ts';
import type { VirtualIpRow } from '../../deliver/item-models.ts';
import type { Bounds } from './bounds.ts';
import type { Leadership } from './leadership.ts';
import { failoverMode } from './policy.ts';
import { askForApproval, withdrawApproval } from './requests.ts';
import type { Watch } from './watch.ts';

export type WriteEffect = Exclude<Effect, { kind: 'answer' | 'wake' | 'prove' }>;

/** What was decided does not hold any more. `behind`: changes up to that number have to be taken first. */
export class Void extends Error {
  readonly behind: number | null;
  constructor(why: string, behind: number | null = null) {
    super(why);
    this.behind = behind;
  }
}

export interface WriteParts extends OwnParts {
  readonly leadership: Leadership;
  readonly bounds: Bounds;
  readonly sequenceOf: (accountId: string) => number;
  readonly hostnameOf: (instanceId: string) => string;
  /** Called with the row after the commit, before any node is sent what follows. */
  readonly took: (watch: Watch, row: VirtualIpRow) => void;
}

const platform = { kind: 'platform', id: null, name: 'platform' } as const;

export async function write(parts: WriteParts, watch: Watch, effect: WriteEffect): Promise<void> {
  const accord = { accountId: watch.accountId, actor: platform, correlationId: uuidv7() };
  await ofItsOwnAccord(parts, accord, async (context) => {
    await parts.leadership.confirm(context.trx);
    const row = await perform(parts, { context, watch, effect });
    context.whenCommitted(() => parts.took(watch, row));
  });
}

/** The virtual IP is gone, and with it what was asked for. */
export async function withdrawLost(parts: OwnParts, watch: Watch, approvalId: string): Promise<void> {
  const accord = { accountId: watch.accountId, actor: platform, correlationId: uuidv7() };
  await ofItsOwnAccord(parts, accord, (context) =>
    withdrawApproval(context, approvalId, 'The virtual IP is gone.'),
  );
}

interface Writing {
  readonly context: ActionContext;
  readonly watch: Watch;
  readonly effect: WriteEffect;
}

async function perform(parts: WriteParts, writing: Writing): Promise<VirtualIpRow> {
  const { context, watch, effect } = writing;
  switch (effect.kind) {
    case 'release': {
      await context.lock();
      const row = await lockedRow(writing);
      await requireMode(writing, effect.reason);
      const holder = row.current_holder_peer_id ?? '';
      const { successor, reason, detail } = effect;
      return takeAway(context, row, {
        successor,
        reason,
        detail,
        terms: parts.bounds.termsOf(row.id, holder),
      });
    }
    case 'give': {
      const sequence = await context.lock();
      const row = await lockedRow(writing);
      if (row.current_holder_peer_id !== null) await requireMode(writing, effect.reason);
      // A change that was not taken yet may have given the old holder something else to act on.
      if (parts.sequenceOf(watch.accountId) < sequence - 1)
        throw new Void('changes are missing', sequence - 1);
      if (!watch.state.over) throw new Void('it is not certain any more that nobody answers');
      return giveTo(context, row, effect);
    }
    case 'clear':
      await context.lock();
      return leaveUnassigned(context, await lockedRow(writing), effect.detail);
    case 'finish':
      return finishMove(context, await lockedRow(writing));
    case 'say':
      return say(context, await lockedRow(writing), effect);
    case 'ask': {
      const row = await lockedRow(writing);
      if ((await failoverMode(context.trx, context.accountId)) !== 'require_approval') {
        throw new Void('the policy does not ask any more');
      }
      const { hostnameOf } = parts;
      const { id, target } = await askForApproval(context, { row, request: effect, hostnameOf });
      context.whenCommitted(() => watch.asked({ id, target }));
      return row;
    }
    case 'withdraw': {
      const row = await lockedRow(writing);
      if (watch.approvalId !== null) await withdrawApproval(context, watch.approvalId, effect.why);
      context.whenCommitted(() => watch.asked(null));
      return row;
    }
  }
}

/** The row as it is now, when it is still the one that was decided about. */
async function lockedRow({ context, watch }: Writing): Promise<VirtualIpRow> {
  const row = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('id', '=', watch.id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Void('it is gone');
  const { epoch, holder } = watch.state.row;
  if (row.epoch !== epoch || row.current_holder_peer_id !== holder) throw new Void('it has moved meanwhile');
  return row;
}

/** Only what nobody has asked for is up to the policy. */
async function requireMode({ context }: Writing, reason: Reason): Promise<void> {
  if (reason !== 'holder_dead' && reason !== 'preempted') return;
  const mode = await failoverMode(context.trx, context.accountId);
  if (mode !== 'auto_approve' && mode !== 'notify_and_proceed')
    throw new Void('the policy does not allow it any more');
}

async function say(
  context: ActionContext,
  before: VirtualIpRow,
  said: { readonly phase: Phase; readonly detail: string | null },
): Promise<VirtualIpRow> {
  const after = await context.trx
    .updateTable('virtual_ips')
    .set({ state: said.phase, state_detail: said.detail, updated_at: context.now })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const kind = before.state === said.phase ? null : eventOf(said.phase);
  if (kind !== null) {
    const payload = { before: showVirtualIp(before), after: showVirtualIp(after), detail: said.detail };
    context.event(`sdwan.virtual_ip.${kind}`, payload, kind === 'recovered' ? 'info' : 'error');
  }
  return after;
}

function eventOf(phase: Phase): string | null {
  if (phase === 'error' || phase === 'unassigned') return phase;
  return phase === 'active' ? 'recovered' : null;
}
