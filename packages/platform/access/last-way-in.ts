// The last way into an account is not taken away: there stays a token that counts, of an owner, that may do all that an
// owner may. Nor is the last way to the platform's administration. When the only such tokens expire, an event says so in
// time.
import { ProductError } from '@powernode/core/errors';
import { type Permission, platformPermissions, rolePermissions } from '@powernode/core/intent/account';
import { wayInWarningMs } from '@powernode/core/limits/requests';
import { sql } from 'kysely';
import type { ActionContext, Trx } from '../actions/context.ts';
import type { Caller } from '../actions/invoke-types.ts';
import { type EventDraft, platformActor, writeEvents } from '../events/write-events.ts';
import { readInPlatform } from '../store/tenancy.ts';
import { statesOfTokens, tokensUnder } from './callers.ts';

interface WayIn {
  readonly accountId: string;
  readonly tokenId: string;
  readonly tokenName: string;
  readonly operatorName: string;
  readonly expiresAt: Date | null;
}

/** Any number, the same for ever: "pwwi" in ASCII. Beside it stands the account. */
const lockClass = 0x70777769;

/** Beside the accounts: what only administrators of the platform may do. */
const administration = 'administration';

/**
 * Does what takes a right from an operator or a token, and throws `conflict` when an account that had a way in, or the
 * platform's administration, has none afterwards. The accounts are those of the token, or of all tokens that end with the
 * operator.
 */
export async function keepWayIn<T>(
  context: Pick<ActionContext, 'trx' | 'now'>,
  of: { readonly operatorId: string } | { readonly tokenId: string },
  work: () => Promise<T>,
): Promise<T> {
  const { trx, now } = context;
  const { accountIds, before } = await readInPlatform(trx, async () => {
    const reached = await accountsReached(trx, of);
    // Of two that take the last two ways in at once, the second waits and finds the last one.
    for (const accountId of reached) {
      await sql`select pg_advisory_xact_lock(${lockClass}::int, hashtext(${accountId}))`.execute(trx);
    }
    return { accountIds: reached, before: await waysIn(trx, { accountIds: reached, now }) };
  });
  const result = await work();
  const after = await readInPlatform(trx, () => waysIn(trx, { accountIds, now }));
  for (const [what, way] of before) {
    if (after.has(what)) continue;
    const where = what === administration ? 'to the administration of the platform' : 'into the account';
    throw new ProductError(
      'conflict',
      `This would remove the last access ${where}: the token "${way.tokenName}" of the owner ${way.operatorName}, or an operator that it depends on. First create one that does not depend on them: as another owner or a platform administrator with system_create_api_token, or with powernode recover on the platform itself.`,
    );
  }
  return result;
}

/** In one order. The platform's administrators are of one account, so that it stands for their administration too. */
async function accountsReached(
  trx: Trx,
  of: { readonly operatorId: string } | { readonly tokenId: string },
): Promise<string[]> {
  const query = trx.selectFrom('api_tokens').select('account_id').distinct().orderBy('account_id');
  const rows = await ('tokenId' in of
    ? query.where('id', '=', of.tokenId)
    : query.where('id', 'in', tokensUnder(of.operatorId))
  ).execute();
  return rows.map((row) => row.account_id);
}

/** By account, and of the administration, the way in that lasts longest. Of all accounts, where none is named. */
async function waysIn(
  trx: Trx,
  of: { readonly accountIds?: readonly string[]; readonly now: Date },
): Promise<Map<string, WayIn>> {
  let query = trx
    .selectFrom('api_tokens')
    .innerJoin('operators', 'operators.id', 'api_tokens.operator_id')
    .select('api_tokens.id')
    .where('operators.role', '=', 'owner')
    .where('operators.disabled_at', 'is', null)
    .where('api_tokens.revoked_at', 'is', null)
    .orderBy('api_tokens.id');
  const { accountIds } = of;
  if (accountIds !== undefined) {
    query = query.where((eb) => eb('api_tokens.account_id', '=', eb.fn.any(eb.val([...accountIds]))));
  }
  const tokenIds = (await query.execute()).map(({ id }) => id);
  const states = await statesOfTokens(trx, tokenIds, of.now);
  const ways = new Map<string, WayIn>();
  for (const state of tokenIds.map((id) => states.get(id))) {
    if (state?.kind !== 'good') continue;
    const { caller } = state;
    if (caller.role !== 'owner' || !mayAll(caller, rolePermissions.owner)) continue;
    const way = {
      accountId: caller.accountId,
      tokenId: caller.tokenId,
      tokenName: caller.token.name,
      operatorName: caller.operatorName,
      expiresAt: caller.token.expiresAt,
    };
    const isAdministrator = caller.platformAdmin && mayAll(caller, platformPermissions);
    for (const what of isAdministrator ? [caller.accountId, administration] : [caller.accountId]) {
      const known = ways.get(what);
      if (known === undefined || !lastsLonger(known.expiresAt, way.expiresAt)) ways.set(what, way);
    }
  }
  return ways;
}

function mayAll(caller: Caller, permissions: readonly Permission[]): boolean {
  return permissions.every((permission) => caller.permissions.has(permission));
}

function lastsLonger(one: Date | null, other: Date | null): boolean {
  return one === null || (other !== null && one >= other);
}

/** Warns once of each date on which an account's last way in expires, two weeks before. In the platform's scope. */
export async function warnOfLastWayIn(trx: Trx, now: Date) {
  const drafts: EventDraft[] = [];
  for (const [what, way] of await waysIn(trx, { now })) {
    const { accountId, expiresAt } = way;
    if (what === administration) continue;
    if (expiresAt === null || expiresAt.getTime() - now.getTime() > wayInWarningMs) continue;
    const warned = await trx
      .updateTable('accounts')
      .set({ way_in_warned_for: expiresAt })
      .where('id', '=', accountId)
      .where('way_in_warned_for', 'is distinct from', expiresAt)
      .returning('id')
      .executeTakeFirst();
    if (warned === undefined) continue;
    drafts.push({
      account_id: accountId,
      kind: 'system.account.way_in_expires',
      severity: 'warning',
      at: now.toISOString(),
      actor: platformActor,
      correlation_id: `way-in-${accountId}`,
      payload: {
        api_token_id: way.tokenId,
        name: way.tokenName,
        operator: way.operatorName,
        expires_at: expiresAt.toISOString(),
        detail:
          'The last token with which an owner can sign in expires at this time. Create another one that lasts longer, or run powernode recover on the platform.',
      },
    });
  }
  return writeEvents(trx, drafts);
}
