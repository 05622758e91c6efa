// A join token as it is made: kept as a digest, and shown once, with the command that uses it.
import { ProductError } from '@powernode/core/errors';
import type { joinTokenOnce } from '@powernode/core/intent/fleet';
import type { z } from 'zod';
import { refuseWithout } from '../../access/rights.ts';
import { statusOfOnce } from '../accounts/present.ts';
import type { ActionContext } from '../context.ts';
import { fetchedExpiry, notAfterToken, type OnceRenewal, onceExpiry, shownOnce } from '../once.ts';
import { type JoinTokenRow, showJoinToken } from './present.ts';

export interface TokenFor {
  readonly nameHint: string | null;
  readonly tags: readonly string[];
  readonly expiresInSeconds: number;
  /** The machine that it lets in; null: whichever comes first. */
  readonly instanceId: string | null;
}

export async function makeJoinToken(
  context: ActionContext,
  of: TokenFor,
): Promise<z.output<typeof joinTokenOnce>> {
  // A machine is asked for with one too, under a permission of its own.
  refuseWithout(context, 'system.join_tokens.manage');
  const { token, digest } = context.services.newJoinToken();
  const row = await context.trx
    .insertInto('join_tokens')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      created_by: context.caller.operatorId,
      created_with: context.caller.tokenId,
      digest,
      name_hint: of.nameHint,
      tags: JSON.stringify(of.tags),
      expires_at: notAfterToken(context, onceExpiry(context, of.expiresInSeconds)),
      instance_id: of.instanceId,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return withSecret(context, row, shownOnce(context, token));
}

/** A new secret of a token whose first one nobody has. It is made with the token in use, which may be another one. */
export async function renewJoinToken(
  context: ActionContext,
  of: OnceRenewal,
): Promise<z.output<typeof joinTokenOnce>> {
  refuseWithout(context, 'system.join_tokens.manage');
  const before = await context.trx
    .selectFrom('join_tokens')
    .selectAll()
    .where('id', '=', of.id)
    .where('account_id', '=', context.accountId)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined || statusOfOnce(before, context.now, null) !== 'unused') {
    throw new ProductError('conflict', 'The join token was revoked or has expired. Request another one.');
  }
  const { token, digest } = context.services.newJoinToken();
  const after = await context.trx
    .updateTable('join_tokens')
    .set({
      digest,
      created_with: context.caller.tokenId,
      expires_at: notAfterToken(
        context,
        fetchedExpiry(context, { seconds: of.seconds, atMost: before.expires_at }),
      ),
      updated_at: context.now,
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return withSecret(context, after, token);
}

/** What an operator made and nobody has used ends with it: it may have kept the tokens. */
export async function revokeJoinTokensOf(context: ActionContext, operatorId: string): Promise<void> {
  const rows = await context.trx
    .updateTable('join_tokens')
    .set((eb) => ({
      revoked_at: context.now,
      updated_at: context.now,
      revision: eb('revision', '+', 1),
    }))
    .where('created_by', '=', operatorId)
    .where('account_id', '=', context.accountId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .returningAll()
    .execute();
  for (const after of rows) {
    const before = { ...after, revoked_at: null, revision: after.revision - 1 };
    context.event('system.join_token.revoked', {
      before: showJoinToken(before, context.now, null),
      after: showJoinToken(after, context.now, null),
    });
  }
}

function withSecret(context: ActionContext, row: JoinTokenRow, token: string) {
  const command = context.services.installCommand(token);
  return { ...showJoinToken(row, context.now, null), token, command };
}
