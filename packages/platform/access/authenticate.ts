// Signing in with a bearer token (RFC 6750): by digest, with guesses limited per source address. Who has a token is
// let in all the same: others may share the address.
import { createHash } from 'node:crypto';
import { ProductError } from '@powernode/core/errors';
import { authFailuresPerMinuteMax, rememberedSourcesMax, tokenUseWriteMs } from '@powernode/core/limits';
import type { Authenticate } from '../actions/invoke-types.ts';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { tokenState } from './callers.ts';

const minuteMs = 60_000;

export interface AuthenticateParts {
  readonly store: Pick<Store, 'db'>;
  readonly now: () => Date;
}

export function createAuthenticate({ store, now }: AuthenticateParts): Authenticate {
  const failures = new FailureCounts();
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
    failures.add(source, at);
    failures.refuseTooMany(source, at);
    throw unauthenticated('The token is not valid: unknown, expired, revoked, or its operator is disabled.');
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

/** Failed sign-ins per source in the minute under way. */
class FailureCounts {
  readonly #counts = new Map<string, number>();
  #minute = 0;

  refuseTooMany(source: string, at: Date): void {
    this.#turn(at);
    if ((this.#counts.get(source) ?? 0) <= authFailuresPerMinuteMax) return;
    throw new ProductError('rate_limited', 'Too many tokens from this address were wrong. Wait a minute.', {
      members: { retry_after_seconds: 60 },
    });
  }

  add(source: string, at: Date): void {
    this.#turn(at);
    if (this.#counts.size >= rememberedSourcesMax && !this.#counts.has(source)) return;
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
  }

  #turn(at: Date): void {
    const minute = Math.floor(at.getTime() / minuteMs);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#counts.clear();
  }
}
