// A token bucket per API token (not a lock on the account): sustained rate and burst from the table of limits.
import { ProductError } from '@powernode/core/errors';
import { rateLimitedTokensMax, requestBurstMax, requestsPerSecondMax } from '@powernode/core/limits/requests';
import type { Authenticate } from '../../actions/invoke-types.ts';

interface Bucket {
  level: number;
  atMs: number;
}

class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes one request of the token, or throws `rate_limited`. */
  take(tokenId: string, nowMs: number): void {
    const bucket = this.#bucket(tokenId, nowMs);
    const refilled = bucket.level + ((nowMs - bucket.atMs) / 1000) * requestsPerSecondMax;
    bucket.level = Math.min(requestBurstMax, refilled);
    bucket.atMs = nowMs;
    if (bucket.level < 1) {
      throw new ProductError('rate_limited', 'This token sends too many requests. Wait a second.', {
        members: { retry_after_seconds: 1 },
      });
    }
    bucket.level -= 1;
  }

  #bucket(tokenId: string, nowMs: number): Bucket {
    const known = this.#buckets.get(tokenId);
    if (known !== undefined) return known;
    // Forgetting a bucket only gives its token a fresh burst.
    if (this.#buckets.size >= rateLimitedTokensMax) this.#buckets.clear();
    const fresh = { level: requestBurstMax, atMs: nowMs };
    this.#buckets.set(tokenId, fresh);
    return fresh;
  }
}

/** Signing in, and one request taken of the token's rate. */
export function limitedAuthenticate(authenticate: Authenticate, nowMs: () => number): Authenticate {
  const limit = new RateLimit();
  return async (credential) => {
    const caller = await authenticate(credential);
    limit.take(caller.tokenId, nowMs());
    return caller;
  };
}
