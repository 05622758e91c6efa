// Keeps enough unused keys, takes note of those that a document uses, and deletes those that none uses any more.
import { agentRetiredKeyMs } from '@powernode/core/limits/agent';
import type { Clock } from '../ports/clock.ts';
import type { Held } from './current-document.ts';
import type { KeyStore } from './keys.ts';

export class KeyKeeper {
  readonly #store: KeyStore;
  readonly #clock: Clock;
  #cancel: (() => void) | null = null;
  /** Keys that no document has named since the wait began. */
  readonly #waiting = new Set<string>();

  constructor(parts: { readonly store: KeyStore; readonly clock: Clock }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
  }

  unused(): string[] {
    return this.#store.unused();
  }

  /** Marks keys of the document as used and makes new ones in their place; returns those. */
  tend(held: Held | null, target: number): string[] {
    for (const publicKey of held === null ? [] : keysIn(held)) {
      this.#store.use(publicKey);
      this.#waiting.delete(publicKey);
    }
    return this.#store.topUp(target);
  }

  /** They were given away and taken back before this machine saw it: they are not offered any more. */
  spend(publicKeys: readonly string[]): void {
    for (const publicKey of publicKeys) this.#store.use(publicKey);
  }

  /**
   * Deletes private halves after a while, if the machine then equals a document that does not name them. `inForce`
   * gives that document, or null when it is not known.
   */
  retireLater(inForce: () => Held | null): void {
    if (this.#cancel !== null) return;
    this.#waiting.clear();
    const wanted = inForce();
    for (const publicKey of wanted === null ? [] : this.#unnamed(wanted)) this.#waiting.add(publicKey);
    if (this.#waiting.size === 0) return;
    this.#cancel = this.#clock.after(agentRetiredKeyMs, () => {
      this.#cancel = null;
      const held = inForce();
      if (held === null) return;
      for (const publicKey of this.#unnamed(held))
        if (this.#waiting.has(publicKey)) this.#store.retire(publicKey);
      // Those that were left out in the meantime wait from now on.
      this.retireLater(inForce);
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  #unnamed(held: Held): string[] {
    const named = keysIn(held);
    return this.#store.used().filter((publicKey) => !named.has(publicKey));
  }
}

/** Asked three times of each document, and a document may have 20,000 entries. */
const keysOf = new WeakMap<Held, ReadonlySet<string>>();

function keysIn(held: Held): ReadonlySet<string> {
  const known = keysOf.get(held);
  if (known !== undefined) return known;
  const named = new Set<string>();
  for (const entry of held.entries.values()) if (entry.kind === 'interface') named.add(entry.public_key);
  keysOf.set(held, named);
  return named;
}
