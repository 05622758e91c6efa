// The endpoints that were written for peers. The kernel learns newer ones by itself, so only a wish that differs from
// the one written last is a reason to write again (wireguard/peers.ts).
import { entryKey } from '@powernode/core/wire/document';
import { tunnelKey } from '../plan/path-index.ts';
import type { Held } from '../state/current-document.ts';
import type { Step } from '../subsystems/step.ts';
import type { Scope } from '../subsystems/subsystem.ts';
import type { Calls } from '../subsystems/wireguard/calls.ts';
import type { Target } from './target.ts';

export class WrittenEndpoints {
  readonly #written = new Map<string, string>();

  /** By the key of the peer's entry. */
  get all(): ReadonlyMap<string, string> {
    return this.#written;
  }

  /** Those in the kernel may be older than the document. */
  invalidate({ entries }: Held): void {
    for (const [key, entry] of entries) if (entry.kind === 'peer') this.#written.set(key, '');
  }

  carriedOut(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind !== 'set_peer' || step.peer.endpoint === null) continue;
      const at = { interface: step.interface, publicKey: step.peer.publicKey };
      this.#written.set(tunnelKey(at), step.peer.endpoint);
    }
  }

  /** From now on a different endpoint in the document is a changed wish, and not one that the kernel has outgrown. */
  remember({ document }: Target, scope: Scope, calls: Calls): void {
    const keys = scope === 'all' ? [...document.all('peer').values()].map(entryKey) : scope;
    for (const key of keys) {
      const entry = document.entries.get(key);
      const endpoint = entry?.kind === 'peer' ? calls.asCalled(entry).endpoint : null;
      if (endpoint !== null) this.#written.set(key, endpoint);
      else this.#written.delete(key);
    }
  }
}
