// Whether this machine is a copy of another one. Two with the same keys would take every tunnel from each other, so a
// copy that was never accepted takes its overlays down; what it holds on disk stays. One that was accepted since its
// start goes on: it is not the copy.
import { formatDigest } from '@powernode/core/compile/digest';
import type { Logger } from 'pino';
import type { Held } from '../state/current-document.ts';

export interface CopyGuardParts {
  readonly log: Logger;
  /** The document on disk; null: none yet. */
  readonly current: () => Held | null;
  /** Makes the machine equal to a document. */
  readonly put: (held: Held) => void;
}

export class CopyGuard {
  readonly #parts: CopyGuardParts;
  #wasAccepted = false;
  #standsAside = false;

  constructor(parts: CopyGuardParts) {
    this.#parts = parts;
  }

  /** The platform takes this machine for the one that has its identity. */
  accepted(): void {
    this.#wasAccepted = true;
    if (!this.#standsAside) return;
    this.#standsAside = false;
    const held = this.#parts.current();
    if (held !== null) this.#parts.put(held);
  }

  /** Another machine has the identity, and was there first. */
  refused(): void {
    if (this.#wasAccepted || this.#standsAside) return;
    this.#standsAside = true;
    this.#parts.log.error(
      'another system uses the identity of this instance, so its overlays are removed; to join as a separate instance, run: powernode agent join --anew --token TOKEN',
    );
    this.#parts.put({ revision: 0, hash: formatDigest(0n), entries: new Map() });
  }
}
