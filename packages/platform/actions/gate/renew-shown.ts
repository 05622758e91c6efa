// What a request that waits would change, looked at anew whenever somebody reads it: the values that whoever decides sees
// are those of now. An approval of something else than was shown is refused.
import { actionKeyOf, definitionOf } from '@powernode/core/actions/catalogue';
import { canonicalJson } from '@powernode/core/compile/digest';
import { ProductError } from '@powernode/core/errors';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { ActionContext, Handlers } from '../context.ts';
import { handlerOf } from './any-handler.ts';
import { type ApprovalRow, lockedRequest, renewPlan } from './approvals.ts';
import { comparablePlan, membersOf } from './comparable-plan.ts';
import { parseCall } from './parse.ts';
import { requesterOf } from './run-deferred.ts';
import { trialOf } from './trial.ts';

/** Answers the request with the plan of now, stored when it is another one than before. */
export type RenewShown = (context: ActionContext, row: ApprovalRow) => Promise<ApprovalRow>;

export function createRenewShown(handlers: () => Handlers): RenewShown {
  return async (context, row) => {
    if (!isToRenew(context, row)) return row;
    const plan = await planOfNow(context, row, handlers());
    if (plan === null || comparablePlan(plan) === comparablePlan(row.plan)) return row;
    const locked = await lockedRequest(context, row.id);
    if (locked === undefined || !isToRenew(context, locked)) return locked ?? row;
    return comparablePlan(plan) === comparablePlan(locked.plan) ? locked : renewPlan(context, locked, plan);
  };
}

const wouldFail = 'would_fail';

/** What the platform asks for by itself, it withdraws by itself when it is so no longer. */
function isToRenew({ now }: ActionContext, row: ApprovalRow): boolean {
  return row.status === 'pending' && row.expires_at > now && row.requested_token_id !== null;
}

/** As its requester, with the rights of now. What can only fail by now says why. null: no such action any more. */
async function planOfNow(context: ActionContext, row: ApprovalRow, handlers: Handlers): Promise<Plan | null> {
  const action = actionKeyOf(row.action);
  if (action === undefined) return null;
  try {
    return await context.attempt(async () => {
      const caller = await requesterOf(context, row, action);
      const { input } = parseCall(action, row.input);
      const trial = await trialOf(context, { action, caller, input, handler: handlerOf(handlers, action) });
      return trial.plan;
    });
  } catch (thrown) {
    if (!(thrown instanceof ProductError) || thrown.code === 'database_unavailable') throw thrown;
    const detail = `It would fail now: ${thrown.detail}`;
    return { nodes: [], node_count: 0, truncated: false, notes: [{ code: wouldFail, detail }] };
  }
}

/**
 * The revision that the object must have when the request runs: that of the plan, where the plan shows no fields that
 * can be compared. undefined: any, or the one that its requester named.
 */
export function revisionShown(row: ApprovalRow): number | undefined {
  const action = actionKeyOf(row.action);
  if (action === undefined || !definitionOf(action).revised || row.requested_token_id === null)
    return undefined;
  // What is observed of a peer or an instance raises its revision, so a machine could put off its own removal for ever.
  if (['peer_id', 'instance_id'].some((key) => key in row.input)) return undefined;
  const { fields, revision } = membersOf(row.plan);
  return fields === undefined && row.input['if_revision'] === undefined ? revision : undefined;
}

/** The request did to its object what the plan does not show. Thrown before the commit, so that nothing of it stays. */
export function refuseUnlikeShown(row: ApprovalRow, done: Pick<Plan, 'fields'>): void {
  if (row.plan === null || row.requested_token_id === null) return;
  const { notes = [] } = membersOf(row.plan);
  if (notes.some(({ code }) => code === wouldFail)) throw new UnlikeShown('that stood in its way', {});
  const shown = new Map((membersOf(row.plan).fields ?? []).map((field) => [field.path, field]));
  const now = new Map((done.fields ?? []).map((field) => [field.path, field]));
  const changed = [...new Set([...shown.keys(), ...now.keys()])]
    .map((path) => ({ path, shown: sideOf(shown.get(path)), now: sideOf(now.get(path)) }))
    .filter((one) => canonicalJson(one.shown) !== canonicalJson(one.now));
  if (changed.length === 0) return;
  throw new UnlikeShown(`of ${changed.map(({ path }) => path).join(', ')}`, { changed });
}

/** Nothing is decided by that: the request waits on, and whoever reads it again sees what it would change now. */
export class UnlikeShown extends ProductError {
  /** `which`: whose values, after "the values". */
  constructor(which: string, members: Readonly<Record<string, unknown>>) {
    super(
      'revision_conflict',
      `The object has changed since this request was shown: the values ${which} are others now. Read the request again, then decide.`,
      { members },
    );
  }
}

/** null: nothing changes there. */
function sideOf(field: NonNullable<Plan['fields']>[number] | undefined) {
  return field === undefined ? null : { before: field.before ?? null, after: field.after ?? null };
}
