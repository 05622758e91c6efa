// Looks at what the filters of a bgpd have refused, as often as is needed, and asks neighbors for their paths again.
import { ProductError } from '@powernode/core/errors';
import { refusalLookMs } from '@powernode/core/limits/agent';
import type { InboundFilter } from '@powernode/core/routing/accepted';
import type { Clock } from '../ports/clock.ts';
import { readRefusedCounts } from '../subsystems/frr/filter-counts.ts';
import type { Vty } from '../subsystems/frr/vty.ts';
import { type Refusal, Refusals } from './refusals.ts';

export interface RefusalWatchParts {
  readonly vty: Pick<Vty, 'show' | 'showJson' | 'generation'>;
  readonly clock: Clock;
  /** A neighbor is refused something else than before. */
  readonly changed: () => void;
}

export class RefusalWatch {
  readonly #parts: RefusalWatchParts;
  readonly #refusals = new Refusals();
  #cancel: (() => void) | null = null;
  #isStopped = false;

  constructor(parts: RefusalWatchParts) {
    this.#parts = parts;
  }

  /** bgpd is configured with these filters. */
  expect(filters: readonly InboundFilter[]): void {
    this.#refusals.expect(filters);
    if (this.#cancel === null) this.#later();
  }

  /** null: nothing; undefined: not known yet, or everything is accepted. */
  of(neighbor: string): Refusal | null | undefined {
    return this.#refusals.of(neighbor);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #later(): void {
    if (this.#isStopped || !this.#refusals.isWatching) {
      this.#cancel = null;
      return;
    }
    this.#cancel = this.#parts.clock.after(refusalLookMs, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      // The daemon is gone, which others tell.
      if (!(error instanceof ProductError)) throw error;
    }
    this.#later();
  }

  async #look(): Promise<void> {
    const { vty, clock, changed } = this.#parts;
    const counts = await vty.showJson('show route-map json', readRefusedCounts);
    if (this.#isStopped) return;
    const { generation } = vty;
    const before = this.#refusals.version;
    const asked = this.#refusals.take({
      ...{ counts, generation, monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() },
    });
    if (this.#refusals.version !== before) changed();
    for (const { neighbor, family } of asked) {
      await vty.show(`clear bgp ipv${family} unicast ${neighbor} soft in`);
    }
  }
}
