// A repeated POST with the same Idempotency-Key gets the first one's answer and does nothing again
// (draft-ietf-httpapi-idempotency-key-header). Kept in the transaction of the action itself, so an answer that was
// lost on the way is found again, and an action that failed leaves no trace.
import { createHash } from 'node:crypto';
import { canonicalJson } from '@powernode/core/compile/digest';
import { ProductError } from '@powernode/core/errors';
import { idempotencyKeyLengthMax, idempotencyKeyMs } from '@powernode/core/limits/requests';
import type { ActionContext, Trx } from '../context.ts';
import type { Outcome } from '../invoke-types.ts';

export interface Sealer {
  readonly seal: (purpose: string, plain: string) => string;
  readonly open: (purpose: string, sealed: string) => string;
}

const purpose = 'idempotency';

export interface IdempotentCall {
  readonly key: string;
  readonly digest: string;
}

export function idempotentCall(
  key: string,
  call: { readonly action: string; readonly input: unknown; readonly tokenId: string },
): IdempotentCall {
  refuseUnfitKey(key);
  // The token is part of the request: an answer may hold a secret that another token of the same operator may not see.
  const { action, input, tokenId } = call;
  const text = canonicalJson({ action, input: input ?? {}, token: tokenId });
  return { key, digest: createHash('sha256').update(text).digest('hex') };
}

export function refuseUnfitKey(key: string): void {
  if (key.length > 0 && key.length <= idempotencyKeyLengthMax && /^[\x21-\x7e]+$/.test(key)) return;
  throw new ProductError(
    'malformed_request',
    `The Idempotency-Key must be 1 to ${idempotencyKeyLengthMax} visible ASCII characters.`,
  );
}

/**
 * Claims the key, or answers what the first call answered. A second call that comes while the first is under way
 * waits for it at the unique index.
 */
export async function claim(
  context: ActionContext,
  call: IdempotentCall,
  sealer: Sealer,
): Promise<Outcome | null> {
  const { trx, accountId, caller, now } = context;
  await trx
    .deleteFrom('idempotency_keys')
    .where('account_id', '=', accountId)
    .where('operator_id', '=', caller.operatorId)
    .where('key', '=', call.key)
    .where('created_at', '<', new Date(now.getTime() - idempotencyKeyMs))
    .execute();
  const claimed = await trx
    .insertInto('idempotency_keys')
    .values({
      account_id: accountId,
      operator_id: caller.operatorId,
      key: call.key,
      request_digest: call.digest,
      status: 0,
      body: JSON.stringify(null),
      created_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (claimed !== undefined) return null;
  return firstAnswer(trx, { context, call, sealer });
}

async function firstAnswer(
  trx: Trx,
  of: { readonly context: ActionContext; readonly call: IdempotentCall; readonly sealer: Sealer },
): Promise<Outcome> {
  const row = await trx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('account_id', '=', of.context.accountId)
    .where('operator_id', '=', of.context.caller.operatorId)
    .where('key', '=', of.call.key)
    .executeTakeFirstOrThrow();
  if (row.request_digest !== of.call.digest) {
    throw new ProductError(
      'idempotency_conflict',
      'This Idempotency-Key was used with another action, other parameters or another token. Use a new key.',
    );
  }
  const body = JSON.parse(of.sealer.open(purpose, String(row.body))) as Outcome['body'];
  return { status: row.status as Outcome['status'], body };
}

/** Keeps the answer beside the key; it may hold a secret that is shown once, so it is sealed. */
export async function keep(
  context: ActionContext,
  answered: { readonly call: IdempotentCall; readonly outcome: Outcome; readonly sealer: Sealer },
): Promise<void> {
  const { call, outcome, sealer } = answered;
  await context.trx
    .updateTable('idempotency_keys')
    .set({
      status: outcome.status,
      body: JSON.stringify(sealer.seal(purpose, JSON.stringify(outcome.body))),
    })
    .where('account_id', '=', context.accountId)
    .where('operator_id', '=', context.caller.operatorId)
    .where('key', '=', call.key)
    .execute();
}
