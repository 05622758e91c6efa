// Which account a call is about. It is the caller's own, unless an administrator of the platform names another one, or
// an object of another one: then that account's policies are asked, and its events and approvals tell of it.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Store } from '../../store/open-store.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { type Noun, notFound, parameterOf, type Trx } from '../context.ts';
import type { Caller } from '../invoke-types.ts';
import type { ParsedCall } from './parse.ts';

export async function accountOfCall(
  store: Pick<Store, 'db'>,
  of: {
    readonly caller: Caller;
    readonly action: ActionKey;
    readonly call: ParsedCall;
    readonly nouns: readonly Noun[];
  },
): Promise<string> {
  const { caller, call } = of;
  const { account_id: named, ...names } = call.input;
  if (typeof named === 'string' && named !== caller.accountId) {
    if (!caller.platformAdmin || !(await isAccount(store, named))) throw notFound('account', named);
    return named;
  }
  if (!caller.platformAdmin || named !== undefined) return caller.accountId;
  const elsewhere =
    of.action === 'getApproval' ? ownRequest(caller, names) : objectElsewhere(of.nouns, names);
  if (elsewhere === null) return caller.accountId;
  return (await inPlatform(store, (trx) => elsewhere(trx))) ?? caller.accountId;
}

/** What an administrator of the platform asked for in another account waits there, and is fetched from there. */
function ownRequest(caller: Caller, names: Readonly<Record<string, unknown>>) {
  return async (trx: Trx) => {
    const row = await trx
      .selectFrom('approvals')
      .select('account_id')
      .where('id', '=', String(names['approval_id']))
      .where('requested_by', '=', caller.operatorId)
      .executeTakeFirst();
    return row?.account_id;
  };
}

/** How to find the account of an object that an administrator of the platform may name in any account. */
function objectElsewhere(nouns: readonly Noun[], names: Readonly<Record<string, unknown>>) {
  for (const noun of nouns) {
    const { table, isAcrossAccounts } = noun;
    const id = names[parameterOf(noun)];
    if (isAcrossAccounts !== true || typeof id !== 'string') continue;
    return async (trx: Trx) => {
      const row = await trx.selectFrom(table).select('account_id').where('id', '=', id).executeTakeFirst();
      return row?.account_id;
    };
  }
  return null;
}

function isAccount(store: Pick<Store, 'db'>, id: string): Promise<boolean> {
  return inPlatform(store, async (trx) => {
    const row = await trx.selectFrom('accounts').select('id').where('id', '=', id).executeTakeFirst();
    return row !== undefined;
  });
}
