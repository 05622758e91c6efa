// Runs a deferred operation as the one who asked for it, with what that operator and that token may do now.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import type { Plan } from '@powernode/core/intent/autonomy';
import { tokenState } from '../../access/callers.ts';
import { readInPlatform } from '../../store/tenancy.ts';
import type { ActionContext, Handlers } from '../context.ts';
import type { Caller } from '../invoke-types.ts';
import { handlerOf } from './any-handler.ts';
import type { ApprovalRow } from './approvals.ts';
import { parseCall } from './parse.ts';
import { fieldsOfAnswer } from './plan-fields.ts';
import { unlessUnchanged } from './unchanged.ts';

/** Runs the action of an approval as the one who asked for it, inside the decider's transaction. */
export type RunDeferred = (context: ActionContext, deferred: Deferred) => Promise<Ran>;

interface Deferred {
  readonly row: ApprovalRow;
  readonly action: ActionKey;
  /** That its object must have. Left out: what the request says. */
  readonly revision?: number | undefined;
}

interface Ran {
  readonly body: Record<string, unknown>;
  /** What became of the fields of its object, as in plans. */
  readonly done: Pick<Plan, 'fields'>;
}

export function createRunDeferred(handlers: () => Handlers): RunDeferred {
  return async (decision, { row, action, revision }) => {
    const context = decision.asAction(definitionOf(action).name);
    const requester = isOfThePlatform(row) ? null : await requesterOf(context, row, action);
    // What the platform itself asks for is done by whoever decides that it is.
    const as = requester === null ? context : context.asApproved(requester);
    const { input } = parseCall(action, row.input);
    const held = revision === undefined ? input : { ...input, if_revision: revision };
    const body = await unlessUnchanged(as, () => handlerOf(handlers(), action)(as, held));
    return { body, done: await fieldsOfAnswer(as, body) };
  };
}

/** Who asked for it, with what that operator and that token may do now. */
export async function requesterOf(
  context: ActionContext,
  row: ApprovalRow,
  action: ActionKey,
): Promise<Caller> {
  const { permission } = definitionOf(action);
  const requester =
    row.requested_token_id === null ? null : await stateOfToken(context, row.requested_token_id);
  if (requester === null || requester.kind === 'bad') {
    throw new ProductError(
      'permission_denied',
      `${row.requested_by_name}, who requested it, can no longer sign in with that token. Request it again.`,
    );
  }
  const isElsewhere = requester.caller.accountId !== context.accountId;
  if (isElsewhere && !requester.caller.platformAdmin) {
    throw new ProductError(
      'permission_denied',
      `${row.requested_by_name}, who requested it, is no longer a platform administrator.`,
    );
  }
  if (permission !== null && !requester.caller.permissions.has(permission)) {
    throw new ProductError(
      'permission_denied',
      `${row.requested_by_name}, who requested it, no longer has the permission ${permission}.`,
    );
  }
  return requester.caller;
}

/** Its maker, or its operator, may be an administrator of the platform, of another account. */
function stateOfToken(context: ActionContext, tokenId: string) {
  return readInPlatform(context.trx, (trx) => tokenState(trx, { tokenId }, context.now));
}

function isOfThePlatform(row: ApprovalRow): boolean {
  return row.requested_by === null && row.requested_token_id === null;
}
