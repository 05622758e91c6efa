// Changes that follow each other are taken as one: when there was none for a moment, and never later than after a while.
import { frrApplyPauseMaxMs, frrApplyPauseMs } from '@powernode/core/limits/agent';
import type { Clock } from '../ports/clock.ts';

export class Debounce {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #firstMs = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** One more change. */
  begin(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#cancel === null) this.#firstMs = nowMs;
    this.#cancel?.();
    const waitMs = Math.min(frrApplyPauseMs, Math.max(0, this.#firstMs + frrApplyPauseMaxMs - nowMs));
    this.#cancel = this.#clock.after(waitMs, () => this.now());
  }

  now(): void {
    this.cancel();
    this.#fire();
  }

  /** Whether something was waiting. */
  cancel(): boolean {
    const wasWaiting = this.#cancel !== null;
    this.#cancel?.();
    this.#cancel = null;
    return wasWaiting;
  }
}
