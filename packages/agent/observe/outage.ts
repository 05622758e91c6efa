// Why the platform is not connected, said once for each outage and not for each try.
import type { Logger } from 'pino';

export class Outage {
  readonly #log: Logger;
  #why: string | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** null: it is connected, or was never tried. */
  get why(): string | null {
    return this.#why;
  }

  set(why: string): void {
    this.#why = why;
  }

  lost(why: string, at: { readonly url: string; readonly againMs: number }): void {
    if (this.#why === null) {
      this.#log.warn({ why, url: at.url }, 'the platform is not connected; the machine goes on as it is');
    }
    this.#log.debug({ why, againMs: at.againMs }, 'connecting again');
    this.#why = why;
  }

  over(): void {
    this.#why = null;
  }
}
