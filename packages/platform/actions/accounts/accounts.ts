// Handlers: who am I, accounts, operators.
import { ProductError } from '@powernode/core/errors';
import { type Role, roleRank } from '@powernode/core/intent/account';
import * as limits from '@powernode/core/limits/overlay';
import { formatPrefix } from '@powernode/core/net/prefix';
import { keepWayIn } from '../../access/last-way-in.ts';
import { refuseAbove, refuseGivingRole } from '../../access/rights.ts';
import { type ActionContext, checkRevision, type HandlersOf, notFound } from '../context.ts';
import { revokeJoinTokensOf } from '../fleet/join-token.ts';
import { page, pageAnswer } from '../paging.ts';
import { revokeGrantsOf } from '../sdwan/devices/access-grants.ts';
import { type OperatorRow, showAccount, showOperator } from './present.ts';

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
    const operator = await operatorRow(context, context.caller.operatorId);
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
      throw new ProductError('already_exists', `An account already has the name "${input.name}".`);
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
    const platformAdmin = administersPlatform(context, input.role);
    refuseGivingRole(context, { role: input.role, platformAdmin });
    await refuseNameTaken(context, input.name);
    const row = await context.trx
      .insertInto('operators')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        name: input.name,
        role: input.role,
        platform_admin: platformAdmin,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.operator.created', { before: null, after: showOperator(row) });
    return { operator: showOperator(row) };
  },

  async listOperators(context, input) {
    let query = context.trx.selectFrom('operators').selectAll().where('account_id', '=', context.accountId);
    if (input.role !== undefined) query = query.where('role', '=', input.role);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { operators: found.rows.map(showOperator), ...pageAnswer(found) };
  },

  async updateOperator(context, input) {
    const before = await lockedOperator(context, input.operator_id);
    checkRevision(before, input);
    refuseAbove(context, before);
    const role = input.role ?? before.role;
    const platformAdmin = role === before.role ? before.platform_admin : administersPlatform(context, role);
    const isLetIn = before.disabled_at !== null && input.disabled === false;
    if (isLetIn || roleRank[role] > roleRank[before.role]) refuseGivingRole(context, { role, platformAdmin });
    if (input.name !== undefined && input.name !== before.name) await refuseNameTaken(context, input.name);
    const losesOwner =
      before.role === 'owner' && ((input.role ?? 'owner') !== 'owner' || input.disabled === true);
    if (losesOwner) await refuseLastOwner(context, before);
    const disabledAt =
      input.disabled === undefined
        ? before.disabled_at
        : input.disabled
          ? (before.disabled_at ?? context.now)
          : null;
    const after = await keepWayIn(context, { operatorId: before.id }, () =>
      context.trx
        .updateTable('operators')
        .set({
          name: input.name ?? before.name,
          role,
          platform_admin: platformAdmin,
          disabled_at: disabledAt,
          updated_at: context.now,
          revision: before.revision + 1,
        })
        .where('id', '=', before.id)
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
    if (before.disabled_at === null && after.disabled_at !== null) await revokeUnusedOf(context, after.id);
    context.event('system.operator.updated', { before: showOperator(before), after: showOperator(after) });
    return { operator: showOperator(after) };
  },

  async disableOperator(context, input) {
    const before = await lockedOperator(context, input.operator_id);
    checkRevision(before, input);
    refuseAbove(context, before);
    if (before.disabled_at !== null) return { operator: showOperator(before) };
    if (before.role === 'owner') await refuseLastOwner(context, before);
    const after = await keepWayIn(context, { operatorId: before.id }, () =>
      context.trx
        .updateTable('operators')
        .set({ disabled_at: context.now, updated_at: context.now, revision: before.revision + 1 })
        .where('id', '=', before.id)
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
    await revokeUnusedOf(context, after.id);
    context.event('system.operator.disabled', { before: showOperator(before), after: showOperator(after) });
    return { operator: showOperator(after) };
  },
};

/** Its API tokens end by themselves while it is disabled; what lets machines and devices in is gone for good. */
async function revokeUnusedOf(context: ActionContext, operatorId: string): Promise<void> {
  await revokeJoinTokensOf(context, operatorId);
  await revokeGrantsOf(context, operatorId);
}

async function operatorRow(context: ActionContext, id: string): Promise<OperatorRow> {
  const row = await context.trx
    .selectFrom('operators')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('operator', id);
  return row;
}

/** Locks all owners of the account, in one order, so that two requests cannot remove the last two. */
async function lockedOperator(context: ActionContext, id: string): Promise<OperatorRow> {
  await context.trx
    .selectFrom('operators')
    .select('id')
    .where('account_id', '=', context.accountId)
    .where('role', '=', 'owner')
    .orderBy('id')
    .forUpdate()
    .execute();
  return operatorRow(context, id);
}

/** Owners of the first account administer the platform (contract §3); only such an owner can make another one. */
function administersPlatform({ caller, accountId }: ActionContext, role: Role): boolean {
  return role === 'owner' && accountId === caller.accountId && caller.platformAdmin;
}

async function refuseNameTaken(context: ActionContext, name: string): Promise<void> {
  const row = await context.trx
    .selectFrom('operators')
    .select('id')
    .where('account_id', '=', context.accountId)
    .where('name', '=', name)
    .executeTakeFirst();
  if (row === undefined) return;
  throw new ProductError('already_exists', `An operator already has the name "${name}".`);
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
    'This is the last owner of the account. Assign the role "owner" to someone else first.',
  );
}

/** A random /48 of fd00::/8 (RFC 4193 §3.1). */
export function newPool(context: Pick<ActionContext, 'services'>): string {
  const bits = (0xfdn << 120n) | (context.services.randomPoolBits() << 80n);
  return formatPrefix({ family: 6, bits, length: limits.accountPoolLength });
}
