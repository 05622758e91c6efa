// Which health checks the platform is told of: those that differ from what it was told, and those that are no more.
import type { VirtualIpHealthObservation } from '@powernode/core/wire/node-stream';

export class HealthNews {
  /** What was told, by virtual IP, with its text. */
  readonly #told = new Map<string, { readonly check: VirtualIpHealthObservation; readonly text: string }>();

  /** The platform knows nothing. */
  startAnew(): void {
    this.#told.clear();
  }

  /** They count as told. */
  of(checks: readonly VirtualIpHealthObservation[]): VirtualIpHealthObservation[] {
    const present = new Set(checks.map((check) => check.virtual_ip_id));
    const fresh: VirtualIpHealthObservation[] = [];
    for (const [id, { check }] of this.#told) {
      if (present.has(id)) continue;
      this.#told.delete(id);
      fresh.push({ ...check, health: null, last_error: null });
    }
    for (const check of checks) {
      const text = JSON.stringify(check);
      if (this.#told.get(check.virtual_ip_id)?.text === text) continue;
      this.#told.set(check.virtual_ip_id, { check, text });
      fresh.push(check);
    }
    return fresh;
  }
}
