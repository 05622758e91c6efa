// How long to wait before the next try: doubling up to a ceiling, jittered by half so that a thousand machines that
// lost their platform at one moment do not come back at one moment.
import { reconnectFirstMs, reconnectMaxMs } from '@powernode/core/limits/node-stream';

/** The port through which chance comes in: a number in [0, 1). */
export type Random = () => number;

export class Backoff {
  readonly #random: Random;
  #tries = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  nextMs(): number {
    const fullMs = Math.min(reconnectFirstMs * 2 ** this.#tries, reconnectMaxMs);
    this.#tries++;
    return fullMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#tries = 0;
  }
}
