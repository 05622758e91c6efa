// Limits how often one source address may fail to authenticate. Successes are not counted.
import { ProductError } from '@powernode/core/errors';
import { authFailuresPerMinuteMax, guessSourcesMax } from '@powernode/core/limits';
import { parseAddress } from '@powernode/core/net/address';
import type { Clock } from './clock.ts';

const windowMs = 60_000;
/** Whoever has one address of a /64 has all of them. */
const siteBits = 64n;

interface Window {
  readonly since: number;
  failures: number;
}

export class GuessLimit {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Throws `rate_limited` when the source has failed too often within a minute. */
  check(source: string): void {
    const window = this.#windowOf(siteOf(source));
    if (window === undefined || window.failures < authFailuresPerMinuteMax) return;
    throw new ProductError(
      'rate_limited',
      'Too many failed attempts from this address. Wait a minute, then try again with a valid token.',
    );
  }

  failed(source: string): void {
    const site = siteOf(source);
    const window = this.#windowOf(site);
    if (window !== undefined) {
      window.failures++;
      return;
    }
    this.#windows.set(site, { since: this.#clock.now(), failures: 1 });
    // A Map keeps its order: the first key is the oldest window.
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size <= guessSourcesMax) break;
      this.#windows.delete(oldest);
    }
  }

  #windowOf(site: string): Window | undefined {
    const window = this.#windows.get(site);
    if (window === undefined || this.#clock.now() - window.since < windowMs) return window;
    this.#windows.delete(site);
    return undefined;
  }
}

function siteOf(source: string): string {
  const address = parseAddress(source);
  if (address === null || address.family === 4) return source;
  return `${(address.bits >> siteBits).toString(16)}/64`;
}
