// Handlers: API tokens.
import { ProductError } from '@powernode/core/errors';
import type { Permission } from '@powernode/core/intent/account';
import { tokenLineMax } from '@powernode/core/limits/trust';
import { lineOf, statesOfTokens } from '../../access/callers.ts';
import { keepWayIn } from '../../access/last-way-in.ts';
import { permissionsOf } from '../../access/permissions.ts';
import { refuseAbove, refuseGiving } from '../../access/rights.ts';
import { readInPlatform } from '../../store/tenancy.ts';
import { type ActionContext, type HandlersOf, notFound } from '../context.ts';
import { fetchedExpiry, type OnceRenewal, onceExpiry, shownOnce } from '../once.ts';
import { page, pageAnswer } from '../paging.ts';
import { type OperatorRow, showApiToken } from './present.ts';

export const apiTokenHandlers: HandlersOf<'createApiToken' | 'listApiTokens' | 'revokeApiToken'> = {
  async createApiToken(context, input) {
    const owner = await operatorOf(context, input.operator_id ?? context.caller.operatorId);
    if (owner.disabled_at !== null) {
      throw new ProductError('conflict', `The operator "${owner.name}" is disabled; enable it first.`);
    }
    refuseAbove(context, owner);
    const permissions = permissionsFor(context, { owner, wanted: input.permissions });
    refuseGiving(context, permissions ?? permissionsOf(owner));
    await refuseLongLine(context);
    const { token, digest } = context.services.newApiToken();
    const expiresAt = expiryFor(context, input.expires_in_seconds);
    const row = await context.trx
      .insertInto('api_tokens')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        operator_id: owner.id,
        created_by: context.caller.operatorId,
        created_with: context.caller.tokenId,
        name: input.name,
        digest,
        permissions: permissions === null ? null : JSON.stringify(permissions),
        for_model: input.for_model || context.caller.token.isForModel,
        expires_at: expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const shown = showApiToken(row, context.now);
    context.event('system.api_token.created', { before: null, after: shown });
    return { api_token: { ...shown, token: shownOnce(context, token) } };
  },

  async listApiTokens(context, input) {
    let query = context.trx.selectFrom('api_tokens').selectAll().where('account_id', '=', context.accountId);
    if (input.operator_id !== undefined) query = query.where('operator_id', '=', input.operator_id);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    const states = await readInPlatform(context.trx, (trx) =>
      statesOfTokens(
        trx,
        found.rows.map(({ id }) => id),
        context.now,
      ),
    );
    const shown = found.rows.map((row) => {
      const state = states.get(row.id);
      const isOver = state?.kind === 'bad' && state.why === 'a maker of its maker disabled';
      const token = showApiToken(row, context.now);
      return isOver ? { ...token, status: 'revoked' as const } : token;
    });
    return { api_tokens: shown, ...pageAnswer(found) };
  },

  async revokeApiToken(context, input) {
    const before = await context.trx
      .selectFrom('api_tokens')
      .selectAll()
      .where('id', '=', input.api_token_id)
      .where('account_id', '=', context.accountId)
      .forUpdate()
      .executeTakeFirst();
    if (before === undefined) throw notFound('API token', input.api_token_id);
    // Whoever made a token may have kept it, and may end it.
    if (before.created_by !== context.caller.operatorId) {
      refuseAbove(context, await operatorOf(context, before.operator_id));
    }
    if (before.revoked_at !== null) return { api_token: showApiToken(before, context.now) };
    const after = await keepWayIn(context, { tokenId: before.id }, () =>
      context.trx
        .updateTable('api_tokens')
        .set({ revoked_at: context.now, updated_at: context.now, revision: before.revision + 1 })
        .where('id', '=', before.id)
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
    context.event('system.api_token.revoked', {
      before: showApiToken(before, context.now),
      after: showApiToken(after, context.now),
    });
    return { api_token: showApiToken(after, context.now) };
  },
};

/** Whoever signs in with a token has its whole line read. */
async function refuseLongLine(context: ActionContext): Promise<void> {
  const line = await readInPlatform(context.trx, (trx) => lineOf(trx, context.caller.tokenId));
  if (line < tokenLineMax) return;
  throw new ProductError(
    'limit_reached',
    `${line} tokens form the chain of creation of the token in use, which is the limit. Use an earlier one.`,
  );
}

/** A new secret of a token whose first one nobody has. The caller must still have the right to make it. */
export async function renewApiToken(context: ActionContext, of: OnceRenewal) {
  const before = await context.trx
    .selectFrom('api_tokens')
    .selectAll()
    .where('id', '=', of.id)
    .where('account_id', '=', context.accountId)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined || showApiToken(before, context.now).status !== 'active') {
    throw new ProductError('conflict', 'The token was revoked or has expired. Request another one.');
  }
  const owner = await operatorOf(context, before.operator_id);
  refuseAbove(context, owner);
  refuseGiving(context, before.permissions ?? permissionsOf(owner));
  const { token, digest } = context.services.newApiToken();
  const after = await context.trx
    .updateTable('api_tokens')
    .set({
      digest,
      expires_at: fetchedExpiry(context, { seconds: of.seconds, atMost: before.expires_at }),
      updated_at: context.now,
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { ...showApiToken(after, context.now), token };
}

async function operatorOf(context: ActionContext, operatorId: string): Promise<OperatorRow> {
  const row = await context.trx
    .selectFrom('operators')
    .selectAll()
    .where('id', '=', operatorId)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('operator', operatorId);
  return row;
}

/** null: all that its operator may do. What a limited token makes is limited too, also where nothing is asked for. */
function permissionsFor(
  { caller }: ActionContext,
  of: { readonly owner: OperatorRow; readonly wanted: readonly Permission[] | undefined },
): Permission[] | null {
  const may = permissionsOf(of.owner);
  if (of.wanted === undefined) {
    return caller.token.isLimited
      ? may.filter((permission) => caller.permissions.has(permission)).sort()
      : null;
  }
  const beyond = of.wanted.filter((permission) => !may.includes(permission));
  if (beyond.length === 0) return [...new Set(of.wanted)].sort();
  throw new ProductError(
    'permission_denied',
    `A token cannot have permissions that its operator lacks: ${beyond.join(', ')}. Remove these.`,
  );
}

/** What is made with a token that expires expires with it. */
function expiryFor(context: ActionContext, seconds: number | undefined): Date | null {
  const { expiresAt: own } = context.caller.token;
  if (seconds === undefined) return own;
  if (own !== null && context.now.getTime() + seconds * 1000 > own.getTime()) {
    throw new ProductError(
      'permission_denied',
      `The token in use expires at ${own.toISOString()}; a token created with it cannot outlive it. Request an earlier expiry, or use another token.`,
    );
  }
  const latest = onceExpiry(context, seconds);
  return own !== null && latest > own ? own : latest;
}
