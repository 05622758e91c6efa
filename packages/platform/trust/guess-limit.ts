// Limits how many wrong secrets one source address is told about. Only failures are counted, and whoever has the right
// secret gets in whatever others sent from there: many machines can share one address.
import { ProductError } from '@powernode/core/errors';
import { authFailuresPerMinuteMax, guessSourcesMax } from '@powernode/core/limits/requests';
import { parseAddress } from '@powernode/core/net/address';

const windowMs = 60_000;
const siteBits = 64n;

interface Window {
  readonly since: number;
  failures: number;
}

export class GuessLimit {
  readonly #steady: () => number;
  readonly #windows = new Map<string, Window>();

  /** `steady`: milliseconds of a clock that nobody sets. */
  constructor(steady: () => number) {
    this.#steady = steady;
  }

  /** After a wrong secret: throws `rate_limited` when the source has failed too often within a minute. */
  check(source: string): void {
    const window = this.#windowOf(siteOf(source));
    if (window === undefined || window.failures <= authFailuresPerMinuteMax) return;
    throw new ProductError(
      'rate_limited',
      'Too many failed attempts from this address. Wait a minute, then try again with a valid token.',
      { members: { retry_after_seconds: windowMs / 1000 } },
    );
  }

  failed(source: string): void {
    const site = siteOf(source);
    const window = this.#windowOf(site);
    if (window !== undefined) {
      window.failures++;
      return;
    }
    this.#windows.set(site, { since: this.#steady(), failures: 1 });
    // A Map keeps its order: the first key is the oldest window.
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size <= guessSourcesMax) break;
      this.#windows.delete(oldest);
    }
  }

  #windowOf(site: string): Window | undefined {
    const window = this.#windows.get(site);
    if (window === undefined || this.#steady() - window.since < windowMs) return window;
    this.#windows.delete(site);
    return undefined;
  }
}

/** Whoever has one address of a /64 has all of them. */
export function siteOf(source: string): string {
  const address = parseAddress(source);
  if (address === null || address.family === 4) return source;
  return `${(address.bits >> siteBits).toString(16)}/64`;
}
