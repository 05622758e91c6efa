// How often one certificate may open a stream or make a request: each costs a look into the database. Counted before
// that look, and by certificate, so that one that does not count any more uses nothing of the present one's budget.
import { ProductError } from '@powernode/core/errors';
import { certificatesCountedMax, certificateUses } from '@powernode/core/limits/node-stream';
import type { InstanceIdentity } from '../../trust/authority.ts';
import { KeyedBuckets } from '../../trust/token-bucket.ts';

export class CertificateUses {
  readonly #buckets = new KeyedBuckets(certificateUses, certificatesCountedMax);
  /** Milliseconds of a clock that never jumps. */
  readonly #steady: () => number;

  constructor(steady: () => number = () => performance.now()) {
    this.#steady = steady;
  }

  /** Throws `rate_limited` when there were too many lately. */
  count({ serial }: Pick<InstanceIdentity, 'serial'>): void {
    if (this.#buckets.tryTake(serial, 1, this.#steady())) return;
    throw new ProductError(
      'rate_limited',
      `This certificate was used more than ${certificateUses.burst} times in a row. Come back later, every ${1 / certificateUses.perSecond} s at most.`,
      { members: { retry_after_seconds: 1 / certificateUses.perSecond } },
    );
  }
}

export function overBudget(waitMs: number): ProductError {
  const seconds = Math.ceil(waitMs / 1000);
  return new ProductError(
    'rate_limited',
    `This instance exceeded its budget and may reconnect in ${seconds} s more; see the event system.instance.stream_limited.`,
    { members: { retry_after_seconds: seconds } },
  );
}
