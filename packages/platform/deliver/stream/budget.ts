// What one machine may cost this process: bytes, frames and processor time of its streams, counted over all of them.
// Whoever is over it is closed and has to stay away for a while that doubles; a long while within it makes that good.
import * as limits from '@powernode/core/limits/node-stream';
import { TokenBucket } from '../../trust/token-bucket.ts';

/** What a machine has used up. */
export type Measure = 'bytes' | 'frames' | 'processor time';

export class StreamBudget {
  /** Milliseconds of a clock that never jumps. */
  readonly #steady: () => number;
  readonly #bytes: TokenBucket;
  readonly #frames: TokenBucket;
  readonly #workMs: TokenBucket;
  #pauseMs = 0;
  #exceededMs = Number.NEGATIVE_INFINITY;

  constructor(steady: () => number) {
    this.#steady = steady;
    const now = steady();
    this.#bytes = new TokenBucket(limits.streamBytes, now);
    this.#frames = new TokenBucket(limits.streamFrames, now);
    this.#workMs = new TokenBucket(limits.streamWorkMs, now);
  }

  /** Each of these says what is used up, if anything is. */
  bytes(count: number): Measure | null {
    return this.#bytes.take(count, this.#steady()) ? null : 'bytes';
  }
  frame(): Measure | null {
    return this.#frames.take(1, this.#steady()) ? null : 'frames';
  }
  worked(ms: number): Measure | null {
    return this.#workMs.take(ms, this.#steady()) ? null : 'processor time';
  }

  /** Begins a pause and answers how long it is. What the machine sends until its stream has ended is in it. */
  exceeded(): number {
    const now = this.#steady();
    this.#pauseMs = this.hasCalmed()
      ? limits.streamPauseFirstMs
      : Math.min(this.#pauseMs * 2, limits.streamPauseMaxMs);
    this.#exceededMs = now;
    for (const bucket of [this.#bytes, this.#frames, this.#workMs]) bucket.refill(now);
    return this.#pauseMs;
  }

  /** How long the machine has to stay away still; 0: not any more. */
  waitMs(): number {
    return Math.max(0, this.#exceededMs + this.#pauseMs - this.#steady());
  }

  /** Whether it was within its budget for so long that the next pause is a first one. */
  hasCalmed(): boolean {
    return this.#steady() - this.#exceededMs >= this.#pauseMs + limits.streamCalmMs;
  }
}

export const measureSentences: Readonly<Record<Measure, string>> = {
  bytes: `more than ${limits.streamBytes.perSecond / 1024} kB a second`,
  frames: `more than ${limits.streamFrames.perSecond} frames a second`,
  'processor time': `more than ${limits.streamWorkMs.perSecond / 10} % of a processor of the platform`,
};
