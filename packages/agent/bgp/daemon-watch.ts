// Whether FRR can be used on this machine, looked at now and then, also while no network of it speaks BGP: the platform
// names machines that cannot before a network is switched, and other peers keep static routes to what is behind them.
import { frrMissingAgainMs } from '@powernode/core/limits/agent';
import type { Clock } from '../ports/clock.ts';
import type { Frr, FrrSeen } from './frr.ts';

export interface DaemonWatchParts {
  readonly clock: Clock;
  readonly frr: Pick<Frr, 'look'>;
  /** It is other than before. */
  readonly changed: () => void;
}

export class DaemonWatch {
  readonly #parts: DaemonWatchParts;
  #seen: FrrSeen | null = null;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(parts: DaemonWatchParts) {
    this.#parts = parts;
  }

  /** As of the last look; null: before the first. */
  get seen(): FrrSeen | null {
    return this.#seen;
  }

  /** Looks now, and again after a while; resolves when that is done. A look that fails says nothing. */
  async look(): Promise<void> {
    const { clock, frr, changed } = this.#parts;
    const seen = await frr.look().catch(() => this.#seen);
    if (this.#stopped) return;
    this.#cancel();
    this.#cancel = clock.after(frrMissingAgainMs, () => void this.look());
    if (JSON.stringify(seen) === JSON.stringify(this.#seen)) return;
    this.#seen = seen;
    changed();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}
