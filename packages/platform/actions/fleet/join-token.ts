// A join token as it is made: kept as a digest, and shown once, with the command that uses it.
import type { joinTokenOnce } from '@powernode/core/intent/fleet';
import type { z } from 'zod';
import { notShownOnDryRun } from '../accounts/api-tokens.ts';
import type { ActionContext } from '../context.ts';
import { showJoinToken } from './present.ts';

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
  const { token, digest } = context.services.newJoinToken();
  const row = await context.trx
    .insertInto('join_tokens')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      digest,
      name_hint: of.nameHint,
      tags: JSON.stringify(of.tags),
      expires_at: new Date(context.now.getTime() + of.expiresInSeconds * 1000),
      instance_id: of.instanceId,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const secret = context.dryRun ? notShownOnDryRun : token;
  const command = `powernode agent join --platform ${context.services.nodeUrl()} --token ${secret}`;
  return { ...showJoinToken(row, context.now), token: secret, command };
}
