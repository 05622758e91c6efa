// The lease of one virtual address: until when this node may answer for it. Enough of the witnesses and the platform
// must have answered something that was sent within `addressLeaseMs`. Counted from when it was sent, so that whoever
// has not answered for that long knows that no lease rests on it. Pure; times are of one clock that only rises.
import { addressLeaseMs } from '@powernode/core/limits/failover';
import type { LeaseConfig } from './config.ts';

/** The platform among those that a lease rests on. */
const platform = 'platform';

export class Lease {
  #config: LeaseConfig;
  /** When what each member answered last was sent. */
  readonly #sentAtMs = new Map<string, number>();
  /** The platform has said that this epoch is the newest, when asked after the last lapse. */
  #isConfirmed = false;
  #lapsedAtMs: number;

  constructor(config: LeaseConfig, nowMs: number) {
    this.#config = config;
    this.#lapsedAtMs = nowMs;
  }

  get config(): LeaseConfig {
    return this.#config;
  }

  /** The same epoch with other witnesses: those that are left have answered what they have answered. */
  reconfigure(config: LeaseConfig): void {
    this.#config = config;
    for (const member of this.#sentAtMs.keys()) {
      if (member !== platform && !config.witnesses.includes(member)) this.#sentAtMs.delete(member);
    }
  }

  /** A witness answered. */
  witnessed(target: string, sentAtMs: number): void {
    if (this.#config.witnesses.includes(target)) this.#note(target, sentAtMs);
  }

  /** The platform answered that this node holds the address under this epoch. */
  confirmed(sentAtMs: number, nowMs: number): void {
    this.tick(nowMs);
    this.#note(platform, sentAtMs);
    if (sentAtMs >= this.#lapsedAtMs) this.#isConfirmed = true;
  }

  /** The platform answered, and this address was not among those that this node holds. */
  refused(nowMs: number): void {
    this.#isConfirmed = false;
    this.#lapsedAtMs = nowMs;
  }

  /** Takes note when it has lapsed. */
  tick(nowMs: number): void {
    const endMs = this.#endMs();
    if (!this.#isConfirmed || nowMs < endMs) return;
    this.#isConfirmed = false;
    this.#lapsedAtMs = Math.max(this.#lapsedAtMs, endMs);
  }

  /** Until when the node may answer; null: it may not. */
  endMs(nowMs: number): number | null {
    this.tick(nowMs);
    return this.#isConfirmed ? this.#endMs() : null;
  }

  #note(member: string, sentAtMs: number): void {
    this.#sentAtMs.set(member, Math.max(sentAtMs, this.#sentAtMs.get(member) ?? sentAtMs));
  }

  #endMs(): number {
    const newestFirst = [...this.#sentAtMs.values()].sort((a, b) => b - a);
    const decisive = newestFirst[this.#config.quorum - 1];
    return decisive === undefined ? Number.NEGATIVE_INFINITY : decisive + addressLeaseMs;
  }
}
