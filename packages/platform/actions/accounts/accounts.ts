// Handlers: who am I, accounts, operators.
import { ProductError } from '@powernode/core/errors';
import type { Role } from '@powernode/core/intent/account';
import * as limits from '@powernode/core/limits';
import { formatPrefix } from '@powernode/core/net/prefix';
import { type ActionContext, checkRevision, type HandlersOf, notFound } from '../context.ts';
import { page, pageAnswer } from '../paging.ts';
import { type OperatorRow, showAccount, showOperator } from './present.ts';

const rank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2, owner: 3 };

export const accountHandlers: HandlersOf<
  | 'whoami'
  | 'createAccount'
  | 'listAccounts'
  | 'createOperator'
  | 'listOperators'
  | 'updateOperator'
  | 'disableOperator'
> = {
  async whoami(context) {
    const account = await context.trx
      .selectFrom('accounts')
      .selectAll()
      .where('id', '=', context.accountId)
      .executeTakeFirstOrThrow();
    const operator = await ownRow(context);
    return {
      operator: showOperator(operator),
      account: showAccount(account),
      permissions: [...context.caller.permissions].sort(),
    };
  },

  async createAccount(context, input) {
    await context.widenToPlatform();
    const taken = await context.trx
      .selectFrom('accounts')
      .select('id')
      .where('name', '=', input.name)
      .executeTakeFirst();
    if (taken !== undefined) {
      throw new ProductError('already_exists', `There is already an account named "${input.name}".`);
    }
    const row = await context.trx
      .insertInto('accounts')
      .values({ id: context.services.newId(), name: input.name, pool_prefix: newPool(context) })
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.account.created', { before: null, after: showAccount(row) });
    return { account: showAccount(row) };
  },

  async listAccounts(context, input) {
    await context.widenToPlatform('system.accounts.read');
    const found = await page(context.trx.selectFrom('accounts').selectAll(), input, {
      by: 'id',
      direction: 'asc',
    });
    return { accounts: found.rows.map(showAccount), ...pageAnswer(found) };
  },

  async createOperator(context, input) {
    const accountId = await accountFor(context, input.account_id);
    await refuseAbove(context, input.role);
    await refuseNameTaken(context, { accountId, name: input.name });
    const row = await context.trx
      .insertInto('operators')
      .values({
        id: context.services.newId(),
        account_id: accountId,
        name: input.name,
        role: input.role,
        platform_admin: await administersPlatform(context, { accountId, role: input.role }),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.operator.created', { before: null, after: showOperator(row) });
    return { operator: showOperator(row) };
  },

  async listOperators(context, input) {
    const accountId = await accountFor(context, input.account_id);
    let query = context.trx.selectFrom('operators').selectAll().where('account_id', '=', accountId);
    if (input.role !== undefined) query = query.where('role', '=', input.role);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { operators: found.rows.map(showOperator), ...pageAnswer(found) };
  },

  async updateOperator(context, input) {
    const before = await lockedOperator(context, input);
    checkRevision(before, input);
    await refuseAbove(context, before.role);
    if (input.role !== undefined) await refuseAbove(context, input.role);
    if (input.name !== undefined && input.name !== before.name) {
      await refuseNameTaken(context, { accountId: before.account_id, name: input.name });
    }
    const losesOwner =
      before.role === 'owner' && ((input.role ?? 'owner') !== 'owner' || input.disabled === true);
    if (losesOwner) await refuseLastOwner(context, before);
    const disabledAt =
      input.disabled === undefined
        ? before.disabled_at
        : input.disabled
          ? (before.disabled_at ?? context.now)
          : null;
    const after = await context.trx
      .updateTable('operators')
      .set({
        name: input.name ?? before.name,
        role: input.role ?? before.role,
        platform_admin: await administersPlatform(context, {
          accountId: before.account_id,
          role: input.role ?? before.role,
        }),
        disabled_at: disabledAt,
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.operator.updated', { before: showOperator(before), after: showOperator(after) });
    return { operator: showOperator(after) };
  },

  async disableOperator(context, input) {
    const before = await lockedOperator(context, input);
    checkRevision(before, input);
    await refuseAbove(context, before.role);
    if (before.disabled_at !== null) return { operator: showOperator(before) };
    if (before.role === 'owner') await refuseLastOwner(context, before);
    const after = await context.trx
      .updateTable('operators')
      .set({ disabled_at: context.now, updated_at: context.now, revision: before.revision + 1 })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.operator.disabled', { before: showOperator(before), after: showOperator(after) });
    return { operator: showOperator(after) };
  },
};

/** The account that an action is about: one's own, or another one for administrators of the platform. */
async function accountFor(context: ActionContext, accountId: string | undefined): Promise<string> {
  if (accountId === undefined || accountId === context.accountId) return context.accountId;
  if (!context.caller.platformAdmin) throw notFound('account', accountId);
  await context.widenToPlatform();
  const row = await context.trx
    .selectFrom('accounts')
    .select('id')
    .where('id', '=', accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('account', accountId);
  return row.id;
}

async function operatorRow(
  context: ActionContext,
  of: { readonly id: string; readonly accountId: string },
): Promise<OperatorRow> {
  const row = await context.trx
    .selectFrom('operators')
    .selectAll()
    .where('id', '=', of.id)
    .where('account_id', '=', of.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('operator', of.id);
  return row;
}

function ownRow(context: ActionContext): Promise<OperatorRow> {
  return operatorRow(context, { id: context.caller.operatorId, accountId: context.accountId });
}

/** Locks all owners of the account, in one order, so that two requests cannot remove the last two. */
async function lockedOperator(
  context: ActionContext,
  of: { readonly operator_id: string; readonly account_id?: string | undefined },
): Promise<OperatorRow> {
  const accountId = await accountFor(context, of.account_id);
  await context.trx
    .selectFrom('operators')
    .select('id')
    .where('account_id', '=', accountId)
    .where('role', '=', 'owner')
    .orderBy('id')
    .forUpdate()
    .execute();
  return operatorRow(context, { id: of.operator_id, accountId });
}

/** Nobody makes, changes or becomes somebody above themselves. */
async function refuseAbove(context: ActionContext, role: Role): Promise<void> {
  if (context.caller.platformAdmin) return;
  const self = await ownRow(context);
  if (rank[role] <= rank[self.role]) return;
  throw new ProductError(
    'permission_denied',
    `The role "${role}" is above your own ("${self.role}"). Ask somebody with that role.`,
  );
}

/** Owners of the first account administer the platform (contract §3); only such an owner can make another one. */
async function administersPlatform(
  context: ActionContext,
  wanted: { readonly accountId: string; readonly role: Role },
): Promise<boolean> {
  if (wanted.role !== 'owner' || wanted.accountId !== context.accountId) return false;
  return (await ownRow(context)).platform_admin;
}

async function refuseNameTaken(
  context: ActionContext,
  wanted: { readonly accountId: string; readonly name: string },
): Promise<void> {
  const row = await context.trx
    .selectFrom('operators')
    .select('id')
    .where('account_id', '=', wanted.accountId)
    .where('name', '=', wanted.name)
    .executeTakeFirst();
  if (row === undefined) return;
  throw new ProductError('already_exists', `There is already an operator named "${wanted.name}".`);
}

async function refuseLastOwner(context: ActionContext, owner: OperatorRow): Promise<void> {
  const other = await context.trx
    .selectFrom('operators')
    .select('id')
    .where('account_id', '=', owner.account_id)
    .where('role', '=', 'owner')
    .where('disabled_at', 'is', null)
    .where('id', '!=', owner.id)
    .executeTakeFirst();
  if (other !== undefined) return;
  throw new ProductError(
    'conflict',
    'This is the last owner of the account. Give the role "owner" to somebody else first.',
  );
}

/** A random /48 of fd00::/8 (RFC 4193 §3.1). */
export function newPool(context: Pick<ActionContext, 'services'>): string {
  const bits = (0xfdn << 120n) | (context.services.randomPoolBits() << 80n);
  return formatPrefix({ family: 6, bits, length: limits.accountPoolLength });
}
