// Runs a deferred operation as the one who asked for it, with what that operator and that token may do now.
import { definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { tokenState } from '../../access/callers.ts';
import type { RunDeferred } from '../autonomy/approvals.ts';
import type { ActionContext, Handlers } from '../context.ts';
import type { ApprovalRow } from './approvals.ts';
import { parseCall } from './parse.ts';

type AnyHandler = (
  context: ActionContext,
  input: Record<string, unknown>,
) => Promise<Record<string, unknown>>;

export function createRunDeferred(handlers: () => Handlers): RunDeferred {
  return async (context, { row, action }) => {
    const { permission } = definitionOf(action);
    const run = (as: ActionContext) => {
      const { input } = parseCall(action, row.input);
      return (handlers()[action] as unknown as AnyHandler)(as, input);
    };
    // What the platform itself asks for is done by whoever decides that it is.
    if (isOfThePlatform(row)) return run(context);
    const requester =
      row.requested_token_id === null
        ? null
        : await tokenState(context.trx, { tokenId: row.requested_token_id }, context.now);
    if (requester === null || requester.kind === 'bad') {
      throw new ProductError(
        'permission_denied',
        `${row.requested_by_name}, who asked for it, can no longer sign in with that token. Ask for it again.`,
      );
    }
    if (permission !== null && !requester.caller.permissions.has(permission)) {
      throw new ProductError(
        'permission_denied',
        `${row.requested_by_name}, who asked for it, no longer has the permission ${permission}.`,
      );
    }
    return run(context.as(requester.caller));
  };
}

function isOfThePlatform(row: ApprovalRow): boolean {
  return row.requested_by === null && row.requested_token_id === null;
}
