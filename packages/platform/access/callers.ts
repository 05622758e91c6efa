// Who a token speaks for: the row of a token with its operator and its maker, read into a caller. A token ends with the
// operator that made it, and never may do more than that operator and the token that it was made with: whoever made it
// may have kept it. The same holds of that token in turn, up to one that the platform itself made. A token that is only
// revoked or expired ends by itself: one that was made with it to take its place goes on.
import { type Permission, type Role, roleRank } from '@powernode/core/intent/account';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Caller } from '../actions/invoke-types.ts';
import { plannedOnce } from '../store/planned-once.ts';
import type { Database } from '../store/tables.ts';
import { permissionsOf } from './permissions.ts';

/** Why a token does not count. */
export type WhyBad =
  | 'unknown'
  | 'revoked'
  | 'expired'
  | 'disabled'
  | 'maker disabled'
  | 'a maker of its maker disabled';

/** A token as it is now, or why it does not count. */
export type TokenState =
  | { readonly kind: 'good'; readonly caller: Caller; readonly lastUsedAt: Date | null }
  | { readonly kind: 'bad'; readonly why: WhyBad };

/**
 * To be asked in the platform's scope: the maker may be an administrator of the platform, of another account. A maker
 * that is not seen counts as disabled.
 */
export async function tokenState(
  trx: Transaction<Database>,
  by: { readonly digest: string } | { readonly tokenId: string },
  now: Date,
): Promise<TokenState> {
  const isAsked =
    'digest' in by
      ? sql<boolean>`api_tokens.digest = ${by.digest}`
      : sql<boolean>`api_tokens.id = ${by.tokenId}`;
  const rows = await selectTokens(trx)
    .modifyFront(plannedOnce('digest' in by ? 'token_by_digest' : 'token_by_id'))
    .select(isAsked.as('is_asked'))
    .where('api_tokens.id', 'in', makersOf(isAsked))
    .execute();
  const row = rows.find(({ is_asked }) => is_asked);
  return row === undefined ? { kind: 'bad', why: 'unknown' } : stateInLine(rowsById(rows), row, now);
}

/** The states of those that there are, by id. In the platform's scope. */
export async function statesOfTokens(
  trx: Transaction<Database>,
  tokenIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, TokenState>> {
  if (tokenIds.length === 0) return new Map();
  const isAsked = sql<boolean>`api_tokens.id = any(${[...tokenIds]}::uuid[])`;
  const rows = await selectTokens(trx).where('api_tokens.id', 'in', makersOf(isAsked)).execute();
  const byId = rowsById(rows);
  return new Map(
    tokenIds.flatMap((id) => {
      const row = byId.get(id);
      return row === undefined ? [] : [[id, stateInLine(byId, row, now)] as const];
    }),
  );
}

/** The tokens that are asked for, with those that they were made with, and so on. */
function makersOf(isAsked: RawBuilder<boolean>): RawBuilder<string> {
  return sql<string>`(
    with recursive line (id, created_with) as (
      select id, created_with from api_tokens where ${isAsked}
      union
      select made.id, made.created_with from api_tokens made join line on made.id = line.created_with
    )
    select id from line
  )`;
}

/** How many there are from a token up to the first one. In the platform's scope. */
export async function lineOf(trx: Transaction<Database>, tokenId: string): Promise<number> {
  const { rows } = await sql<{ id: string }>`${makersOf(sql`api_tokens.id = ${tokenId}`)}`.execute(trx);
  return rows.length;
}

/**
 * The first of an operator's tokens that a token goes back to: somebody else made that one. Whoever has it may have made
 * all that go back to it, and nobody else. In the platform's scope.
 */
export async function originOf(trx: Transaction<Database>, tokenId: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    with recursive line (id, operator_id, created_with, place) as (
      select id, operator_id, created_with, 0 from api_tokens where id = ${tokenId}
      union all
      select above.id, above.operator_id, above.created_with, line.place + 1
      from api_tokens above join line on above.id = line.created_with and above.operator_id = line.operator_id
    )
    select id from line order by place desc limit 1
  `.execute(trx);
  return rows[0]?.id ?? null;
}

/** Tokens of an operator and those that it made, with all that were made with these, and so on: they end with it. */
export function tokensUnder(operatorId: string): RawBuilder<string> {
  return sql<string>`(
    with recursive line (id) as (
      select id from api_tokens where operator_id = ${operatorId} or created_by = ${operatorId}
      union
      select made.id from api_tokens made join line on made.created_with = line.id
    )
    select id from line
  )`;
}

/** A line has at most `tokenLineMax` tokens. */
function stateInLine(byId: ReadonlyMap<string, TokenRow>, row: TokenRow, now: Date): TokenState {
  const state = stateOf(row, now);
  if (row.created_with === null || state.kind === 'bad') return state;
  const above = byId.get(row.created_with);
  if (above === undefined) return { kind: 'bad', why: 'unknown' };
  // Whether that one is revoked or expired by now is its own end.
  return within(state, stateInLine(byId, { ...above, revoked_at: null, expires_at: null }, now));
}

/** No more than the token may that it was made with. */
function within(state: TokenState & { readonly kind: 'good' }, above: TokenState): TokenState {
  if (above.kind === 'bad') return { kind: 'bad', why: 'a maker of its maker disabled' };
  const { caller } = state;
  const permissions = new Set([...caller.permissions].filter((one) => above.caller.permissions.has(one)));
  return {
    ...state,
    caller: {
      ...caller,
      permissions,
      role: roleRank[above.caller.role] < roleRank[caller.role] ? above.caller.role : caller.role,
      platformAdmin: caller.platformAdmin && permissions.has('system.accounts.manage'),
    },
  };
}

function selectTokens(trx: Transaction<Database>) {
  return trx
    .selectFrom('api_tokens')
    .innerJoin('operators', 'operators.id', 'api_tokens.operator_id')
    .leftJoin('operators as makers', 'makers.id', 'api_tokens.created_by')
    .select([
      'api_tokens.id as token_id',
      'api_tokens.account_id',
      'api_tokens.name as token_name',
      'api_tokens.created_by',
      'api_tokens.created_with',
      'api_tokens.permissions',
      'api_tokens.for_model',
      'api_tokens.expires_at',
      'api_tokens.revoked_at',
      'api_tokens.last_used_at',
      'operators.id as operator_id',
      'operators.name',
      'operators.role',
      'operators.platform_admin',
      'operators.disabled_at',
      'makers.name as maker_name',
      'makers.role as maker_role',
      'makers.platform_admin as maker_platform_admin',
      'makers.disabled_at as maker_disabled_at',
    ]);
}

function rowsById(rows: readonly TokenRow[]): ReadonlyMap<string, TokenRow> {
  return new Map(rows.map((row) => [row.token_id, row]));
}

type TokenRow = Awaited<ReturnType<ReturnType<typeof selectTokens>['execute']>>[number];

/** By itself, whatever it was made with. */
function stateOf(row: TokenRow, now: Date): TokenState {
  if (row.revoked_at !== null) return { kind: 'bad', why: 'revoked' };
  if (row.expires_at !== null && row.expires_at <= now) return { kind: 'bad', why: 'expired' };
  if (row.disabled_at !== null) return { kind: 'bad', why: 'disabled' };
  const maker = makerOf(row);
  if (maker === 'disabled') return { kind: 'bad', why: 'maker disabled' };
  const permissions = new Set(
    permissionsOf(row).filter(
      (permission) =>
        (row.permissions?.includes(permission) ?? true) &&
        (maker?.may.has(permission) ?? true) &&
        !(row.for_model && permission === 'system.approvals.decide'),
    ),
  );
  return {
    kind: 'good',
    lastUsedAt: row.last_used_at,
    caller: {
      operatorId: row.operator_id,
      operatorName: row.name,
      accountId: row.account_id,
      tokenId: row.token_id,
      token: {
        name: row.token_name,
        madeBy: maker === null ? null : { id: maker.id, name: maker.name },
        expiresAt: row.expires_at,
        isLimited: row.permissions !== null || row.for_model,
        isForModel: row.for_model,
      },
      role: maker !== null && roleRank[maker.role] < roleRank[row.role] ? maker.role : row.role,
      permissions,
      platformAdmin: row.platform_admin && permissions.has('system.accounts.manage'),
    },
  };
}

interface Maker {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly may: ReadonlySet<Permission>;
}

/** null: the platform itself made it. */
function makerOf(row: TokenRow): Maker | 'disabled' | null {
  if (row.created_by === null) return null;
  const { maker_name: name, maker_role: role, maker_platform_admin: platform_admin } = row;
  const isSeen = name !== null && role !== null && platform_admin !== null;
  if (!isSeen || row.maker_disabled_at !== null) return 'disabled';
  return { id: row.created_by, name, role, may: new Set(permissionsOf({ role, platform_admin })) };
}
