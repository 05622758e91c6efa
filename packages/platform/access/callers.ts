// Who a token speaks for: the row of a token with its operator, read into a caller.
import type { Permission } from '@powernode/core/intent/account';
import { permissionsOf } from '../actions/accounts/present.ts';
import type { Trx } from '../actions/context.ts';
import type { Caller } from '../actions/invoke-types.ts';

/** A token as it is now, or why it does not count. */
export type TokenState =
  | { readonly kind: 'good'; readonly caller: Caller; readonly lastUsedAt: Date | null }
  | { readonly kind: 'bad'; readonly why: 'unknown' | 'revoked' | 'expired' | 'disabled' };

export async function tokenState(
  trx: Trx,
  by: { readonly digest: string } | { readonly tokenId: string },
  now: Date,
): Promise<TokenState> {
  const query = trx
    .selectFrom('api_tokens')
    .innerJoin('operators', 'operators.id', 'api_tokens.operator_id')
    .select([
      'api_tokens.id as token_id',
      'api_tokens.account_id',
      'api_tokens.permissions',
      'api_tokens.expires_at',
      'api_tokens.revoked_at',
      'api_tokens.last_used_at',
      'operators.id as operator_id',
      'operators.name',
      'operators.role',
      'operators.platform_admin',
      'operators.disabled_at',
    ]);
  const row = await ('digest' in by
    ? query.where('api_tokens.digest', '=', by.digest)
    : query.where('api_tokens.id', '=', by.tokenId)
  ).executeTakeFirst();
  if (row === undefined) return { kind: 'bad', why: 'unknown' };
  if (row.revoked_at !== null) return { kind: 'bad', why: 'revoked' };
  if (row.expires_at !== null && row.expires_at <= now) return { kind: 'bad', why: 'expired' };
  if (row.disabled_at !== null) return { kind: 'bad', why: 'disabled' };
  const may = permissionsOf(row);
  const permissions = new Set<Permission>(
    row.permissions === null ? may : may.filter((permission) => row.permissions?.includes(permission)),
  );
  return {
    kind: 'good',
    lastUsedAt: row.last_used_at,
    caller: {
      operatorId: row.operator_id,
      operatorName: row.name,
      accountId: row.account_id,
      tokenId: row.token_id,
      permissions,
      platformAdmin: row.platform_admin && permissions.has('system.accounts.manage'),
    },
  };
}
