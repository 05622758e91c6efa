// Networks whose routes have just become static again keep their bgpd for a while: other peers may still decide by what it
// announces until they have got the same change.
import { frrLingerMs } from '@powernode/core/limits/agent';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { Clock } from '../ports/clock.ts';
import type { WantedBgp } from './wanted-bgp.ts';

export class Lingering {
  readonly #clock: Clock;
  #last: readonly WantedBgp[] = [];
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until the next one is over; null: none is left. */
  get nextMs(): number | null {
    if (this.#untilMs.size === 0) return null;
    return Math.max(0, Math.min(...this.#untilMs.values()) - this.#clock.monotonicMs());
  }

  /** What is wanted, and as they were those that stay for a while. A network that the machine has left does not. */
  with(wanted: readonly WantedBgp[], document: NodeDocument): readonly WantedBgp[] {
    const nowMs = this.#clock.monotonicMs();
    const names = new Set(wanted.map(({ network }) => network));
    const gone = this.#last.filter(({ network }) => {
      const isLeft = !names.has(network) && document.inNetwork('interface', network).length > 0;
      if (!isLeft) this.#untilMs.delete(network);
      else if (!this.#untilMs.has(network)) this.#untilMs.set(network, nowMs + frrLingerMs);
      return isLeft && nowMs < (this.#untilMs.get(network) ?? 0);
    });
    for (const { network } of this.#last) {
      if (!gone.some((one) => one.network === network)) this.#untilMs.delete(network);
    }
    this.#last = [...wanted, ...gone];
    return this.#last;
  }
}
