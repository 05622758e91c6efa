// The endpoints that were written for peers. The kernel learns newer ones by itself, so only a wish that differs from
// the one written last is a reason to write again (plan/peers.ts).
import type { Scope } from '../plan/plan.ts';
import { keyOf, type Step } from '../plan/step.ts';
import type { Held } from '../state/held.ts';

export class WrittenEndpoints {
  readonly #written = new Map<string, string>();

  /** By the key of the peer's entry. */
  get all(): ReadonlyMap<string, string> {
    return this.#written;
  }

  /** Those in the kernel may be older than the document. */
  distrust(held: Held): void {
    for (const [key, entry] of held.entries) if (entry.kind === 'peer') this.#written.set(key, '');
  }

  carriedOut(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind !== 'set_peer' || step.peer.endpoint === null) continue;
      this.#written.set(keyOf(step), step.peer.endpoint);
    }
  }

  /** From now on a different endpoint in the document is a changed wish, and not one that the kernel has outgrown. */
  remember(held: Held, scope: Scope): void {
    for (const key of scope === 'all' ? held.entries.keys() : scope) {
      const entry = held.entries.get(key);
      if (entry?.kind === 'peer' && entry.endpoint !== null) this.#written.set(key, entry.endpoint);
      else this.#written.delete(key);
    }
  }
}
