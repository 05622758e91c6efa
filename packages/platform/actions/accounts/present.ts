// Rows of accounts, operators and tokens as the outside sees them.

import { type account, type apiToken, type operator } from '@powernode/core/intent/account';
import type { Selectable } from 'kysely';
import type { z } from 'zod';
import type { MakerLoss } from '../../access/maker-rights.ts';
import type { Database } from '../../store/tables.ts';

export type OperatorRow = Selectable<Database['operators']>;
export type ApiTokenRow = Selectable<Database['api_tokens']>;

/** Of a token or a grant that lets one in once. */
export function statusOfOnce(
  row: { readonly used_at: Date | null; readonly revoked_at: Date | null; readonly expires_at: Date },
  now: Date,
  loss: MakerLoss,
): 'used' | 'revoked' | 'expired' | 'unused' {
  if (row.used_at !== null) return 'used';
  if (row.revoked_at !== null) return 'revoked';
  return row.expires_at <= now ? 'expired' : (loss ?? 'unused');
}

/** What every stored object carries. */
export function stored(row: {
  readonly id: string;
  readonly account_id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly revision: number;
}): { id: string; account_id: string; created_at: string; updated_at: string; revision: number } {
  return {
    id: row.id,
    account_id: row.account_id,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    revision: row.revision,
  };
}

export function timeOrNull(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}

/** Of milliseconds since 1970. */
export function timeOfMs(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

export function showAccount(row: Selectable<Database['accounts']>): z.output<typeof account> {
  return {
    id: row.id,
    account_id: row.id,
    name: row.name,
    pool_prefix: row.pool_prefix,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    revision: row.revision,
  };
}

export function showOperator(row: OperatorRow): z.output<typeof operator> {
  return {
    ...stored(row),
    name: row.name,
    role: row.role,
    platform_admin: row.platform_admin,
    disabled: row.disabled_at !== null,
    disabled_at: timeOrNull(row.disabled_at),
  };
}

export function showApiToken(row: ApiTokenRow, now: Date): z.output<typeof apiToken> {
  const expired = row.expires_at !== null && row.expires_at <= now;
  return {
    ...stored(row),
    operator_id: row.operator_id,
    created_by: row.created_by,
    created_with: row.created_with,
    name: row.name,
    permissions: row.permissions,
    for_model: row.for_model,
    expires_at: timeOrNull(row.expires_at),
    last_used_at: timeOrNull(row.last_used_at),
    status: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
  };
}
