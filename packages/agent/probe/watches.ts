// Peers whose probes a hub watches for the platform. A witness makes a promise: once it has reported a peer as silent,
// no answer to that peer counts for a lease until the platform has acknowledged a newer report. Without that, a peer
// that comes back in the wrong moment would keep an address that is being granted to another.
import { addressLeaseMs } from '@powernode/core/limits/failover';
import type { WatchConfig } from './config.ts';

export interface WatchChange {
  readonly peerId: string;
  readonly alive: boolean;
  /** Rises with every change, so that a confirmation is not taken for one of something newer. */
  readonly turn: number;
}

class Watch {
  readonly config: WatchConfig;
  answeredAtMs: number;
  /** null: not known yet. The last agent of this machine may have answered just before this one began. */
  reported: boolean | null = null;
  turn = 0;
  isWitness = false;

  constructor(config: WatchConfig, runMs: number) {
    this.config = config;
    this.answeredAtMs = runMs;
  }

  report(alive: boolean): WatchChange {
    this.reported = alive;
    this.isWitness = false;
    this.turn++;
    return { peerId: this.config.peerId, alive, turn: this.turn };
  }
}

export class Watches {
  #watches = new Map<string, Watch>();

  configure(configs: readonly WatchConfig[], runMs: number): void {
    const before = this.#watches;
    this.#watches = new Map();
    for (const config of configs) {
      const key = keyOf(config);
      this.#watches.set(key, before.get(key) ?? new Watch(config, runMs));
    }
  }

  isWatched(address: string, answeredAt: string): boolean {
    return this.#watches.has(keyOf({ address, answeredAt }));
  }

  /** A probe is answered now. Says whether a lease may rest on the answer, and what is news for the platform. */
  answering(
    at: { readonly address: string; readonly answeredAt: string },
    runMs: number,
  ): { readonly isWitness: boolean; readonly change: WatchChange | null } {
    const watch = this.#watches.get(keyOf(at));
    if (watch === undefined) return { isWitness: false, change: null };
    watch.answeredAtMs = runMs;
    if (watch.reported === true) return { isWitness: watch.isWitness, change: null };
    return { isWitness: false, change: watch.report(true) };
  }

  /** The platform has acknowledged that these are heard. */
  confirm(changes: readonly WatchChange[]): void {
    for (const { peerId, turn, alive } of changes) {
      for (const watch of this.#watches.values()) {
        if (alive && watch.config.peerId === peerId && watch.turn === turn) watch.isWitness = true;
      }
    }
  }

  /** The peers that fell silent. From here on their answers count for no lease. */
  update(runMs: number, timeoutFactor: number): WatchChange[] {
    const changes: WatchChange[] = [];
    for (const watch of this.#watches.values()) {
      if (watch.reported === false || runMs - watch.answeredAtMs <= addressLeaseMs * timeoutFactor) continue;
      changes.push(watch.report(false));
    }
    return changes;
  }
}

function keyOf(at: { readonly address: string; readonly answeredAt: string }): string {
  return `${at.address} ${at.answeredAt}`;
}
