// Handlers: API tokens.
import { ProductError } from '@powernode/core/errors';
import type { Permission } from '@powernode/core/intent/account';
import { type ActionContext, type HandlersOf, notFound } from '../context.ts';
import { page, pageAnswer } from '../paging.ts';
import { permissionsOf, showApiToken } from './present.ts';

export const notShownOnDryRun = '(made and shown when the action runs)';

export const apiTokenHandlers: HandlersOf<'createApiToken' | 'listApiTokens' | 'revokeApiToken'> = {
  async createApiToken(context, input) {
    const owner = await tokenOwner(context, input.operator_id ?? context.caller.operatorId);
    const permissions = input.permissions === undefined ? null : [...new Set(input.permissions)].sort();
    refuseMoreThan(context, { permissions, ownerMay: owner.may });
    const { token, digest } = context.services.newApiToken();
    const expiresAt =
      input.expires_in_seconds === undefined
        ? null
        : new Date(context.now.getTime() + input.expires_in_seconds * 1000);
    const row = await context.trx
      .insertInto('api_tokens')
      .values({
        id: context.services.newId(),
        account_id: owner.accountId,
        operator_id: owner.id,
        name: input.name,
        digest,
        permissions: permissions === null ? null : JSON.stringify(permissions),
        expires_at: expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const shown = showApiToken(row, context.now);
    context.event('system.api_token.created', { before: null, after: shown });
    return { api_token: { ...shown, token: context.dryRun ? notShownOnDryRun : token } };
  },

  async listApiTokens(context, input) {
    let query = context.trx.selectFrom('api_tokens').selectAll().where('account_id', '=', context.accountId);
    if (input.operator_id !== undefined) query = query.where('operator_id', '=', input.operator_id);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { api_tokens: found.rows.map((row) => showApiToken(row, context.now)), ...pageAnswer(found) };
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
    if (before.revoked_at !== null) return { api_token: showApiToken(before, context.now) };
    const after = await context.trx
      .updateTable('api_tokens')
      .set({ revoked_at: context.now, updated_at: context.now, revision: before.revision + 1 })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.api_token.revoked', {
      before: showApiToken(before, context.now),
      after: showApiToken(after, context.now),
    });
    return { api_token: showApiToken(after, context.now) };
  },
};

interface TokenOwner {
  readonly id: string;
  readonly accountId: string;
  readonly may: readonly Permission[];
}

async function tokenOwner(context: ActionContext, operatorId: string): Promise<TokenOwner> {
  if (context.caller.platformAdmin) await context.widenToPlatform();
  const row = await context.trx
    .selectFrom('operators')
    .selectAll()
    .where('id', '=', operatorId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('operator', operatorId);
  if (row.disabled_at !== null) {
    throw new ProductError('conflict', `The operator "${row.name}" is disabled; let it in again first.`);
  }
  return {
    id: row.id,
    accountId: row.account_id,
    may: permissionsOf(row),
  };
}

/** A token never may do more than its owner, and nobody makes one that may do more than they may themselves. */
function refuseMoreThan(
  context: ActionContext,
  wanted: {
    readonly permissions: readonly Permission[] | null;
    readonly ownerMay: readonly Permission[];
  },
): void {
  const asked = wanted.permissions ?? wanted.ownerMay;
  const beyond = asked.filter(
    (permission) => !wanted.ownerMay.includes(permission) || !context.caller.permissions.has(permission),
  );
  if (beyond.length === 0) return;
  throw new ProductError(
    'permission_denied',
    `A token may not do more than its owner and its maker: ${beyond.join(', ')}. Leave these out.`,
  );
}
