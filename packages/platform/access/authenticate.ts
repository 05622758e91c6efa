// Signing in with a bearer token (RFC 6750): by digest, with guesses limited per source address. Who has a token is
// let in all the same: others may share the address.
import { createHash } from 'node:crypto';
import { ProductError } from '@powernode/core/errors';
import { tokenUseWriteMs } from '@powernode/core/limits/requests';
import type { Authenticate } from '../actions/invoke-types.ts';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { GuessLimit } from '../trust/guess-limit.ts';
import { tokenState } from './callers.ts';

export interface AuthenticateParts {
  readonly store: Pick<Store, 'db'>;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly steady: () => number;
}

export function createAuthenticate({ store, now, steady }: AuthenticateParts): Authenticate {
  const guesses = new GuessLimit(steady);
  return async ({ authorization, source }) => {
    const at = now();
    const token = bearerToken(authorization);
    if (token === null) throw unauthenticated('Send the header "Authorization: Bearer <token>".');
    const digest = createHash('sha256').update(token).digest('hex');
    const state = await inPlatform(store, async (trx) => {
      const found = await tokenState(trx, { digest }, at);
      if (found.kind === 'good' && isStale(found.lastUsedAt, at)) {
        await trx
          .updateTable('api_tokens')
          .set({ last_used_at: at })
          .where('id', '=', found.caller.tokenId)
          .execute();
      }
      return found;
    });
    if (state.kind === 'good') return state.caller;
    guesses.failed(source);
    guesses.check(source);
    throw unauthenticated(
      'The token is not valid: it is unknown, expired or revoked, or its operator is disabled.',
    );
  };
}

function bearerToken(authorization: string | undefined): string | null {
  const match = /^Bearer ([\x21-\x7e]{1,300})$/i.exec(authorization ?? '');
  return match?.[1] ?? null;
}

function unauthenticated(detail: string): ProductError {
  return new ProductError('unauthenticated', detail);
}

function isStale(lastUsedAt: Date | null, now: Date): boolean {
  return lastUsedAt === null || now.getTime() - lastUsedAt.getTime() > tokenUseWriteMs;
}
