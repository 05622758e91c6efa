// Token buckets on a clock that never jumps: so much at once, and so much a second in the long run.
export interface BucketSize {
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  readonly #size: BucketSize;
  #level: number;
  #atMs: number;

  constructor(size: BucketSize, nowMs: number) {
    this.#size = size;
    this.#level = size.burst;
    this.#atMs = nowMs;
  }

  /** Takes so much, also when it is more than there is; false when it was. */
  take(amount: number, nowMs: number): boolean {
    this.#fill(nowMs);
    this.#level -= amount;
    return this.#level >= 0;
  }

  /** Takes so much only when it is there. */
  tryTake(amount: number, nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#level < amount) return false;
    this.#level -= amount;
    return true;
  }

  refill(nowMs: number): void {
    this.#level = this.#size.burst;
    this.#atMs = nowMs;
  }

  /** Nothing was taken for so long that it is as good as a new one. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#level >= this.#size.burst;
  }

  #fill(nowMs: number): void {
    const { burst, perSecond } = this.#size;
    this.#level = Math.min(burst, this.#level + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
  }
}

/** One bucket for each key, of so many keys; of more, the one that was used longest ago begins anew. */
export class KeyedBuckets {
  readonly #size: BucketSize;
  readonly #keysMax: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(size: BucketSize, keysMax: number) {
    this.#size = size;
    this.#keysMax = keysMax;
  }

  tryTake(key: string, amount: number, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#size, nowMs);
    // A Map keeps its order: the first key is the one that was used longest ago.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= this.#keysMax) break;
      this.#buckets.delete(oldest);
    }
    return bucket.tryTake(amount, nowMs);
  }
}
