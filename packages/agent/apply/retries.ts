// When a document that could not be applied is tried again: after a while, each time a longer one.
import { agentApplyRetryFirstMs, agentApplyRetryMaxMs } from '@powernode/core/limits/agent';

export class Retries {
  #failures = 0;
  #atMs = 0;

  /** When the next try is due. */
  get atMs(): number {
    return this.#atMs;
  }

  failed(nowMs: number): void {
    this.#atMs = nowMs + Math.min(agentApplyRetryFirstMs * 2 ** this.#failures, agentApplyRetryMaxMs);
    this.#failures++;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Something new may be what was missing. */
  now(): void {
    this.#atMs = 0;
  }
}
