// Changes of the document that are not confirmed yet, and when they are, or have to be taken back: decision 10. Without
// a clock, sockets or files; times are those of a monotonic clock, in milliseconds.

import type { Before } from '@powernode/core/compile/take-back';
import { confirmLostMs, confirmStepsMax, confirmTrialMs } from '@powernode/core/limits/agent';
import { reconnectMaxMs } from '@powernode/core/limits/node-stream';

/** One change on trial. */
export interface TrialStep {
  readonly revision: number;
  /** What the touched entries were before it. */
  readonly before: Before;
}

interface Step extends TrialStep {
  /** null: the machine is not equal to it yet. */
  readonly appliedAtMs: number | null;
}

/**
 * Where the platform stands, as far as it was asked. answers: its machine answers, and by a path that is not of an
 * overlay's making. captured: the kernel leads to it by an interface or an address of an overlay. silent: neither.
 */
export type PathFinding = 'answers' | 'captured' | 'silent';

export interface Sighting {
  readonly nowMs: number;
  /** When the platform was last heard on a stream. */
  readonly heardAtMs: number;
  /** null: not asked, because it is heard. */
  readonly path: PathFinding | null;
  /** Anything outside was heard a moment ago: a hub, or a spoke. */
  readonly isOutsideHeard: boolean;
  /** By network. */
  readonly hubs: ReadonlyMap<string, HubSighting>;
}

export interface HubSighting {
  /** The path to one of its hubs lives. */
  readonly isHeard: boolean;
  /** What leads to its hubs was touched by the change, or is captured. */
  readonly isSuspect: boolean;
}

export type Loss = { readonly kind: 'platform' } | { readonly kind: 'hubs'; readonly networkId: string };

export type Decision =
  | { readonly kind: 'wait' }
  /** How many of the steps, from the oldest, are confirmed. */
  | { readonly kind: 'confirmed'; readonly steps: number }
  | { readonly kind: 'roll_back'; readonly loss: Loss };

export class Trial {
  #steps: readonly Step[] = [];
  #platformGoodAtMs = 0;
  /** From here on hubs know the change as well, and their silence counts. */
  #hubsKnowAtMs = Number.NEGATIVE_INFINITY;
  /** Of networks one of whose hubs was heard when a change came. */
  readonly #hubsGoodAtMs = new Map<string, number>();

  get steps(): readonly TrialStep[] {
    return this.#steps;
  }

  get isOpen(): boolean {
    return this.#steps.length > 0;
  }

  /** When the platform, or the path to it, was last known to be there. */
  get goodAtMs(): number {
    return this.#platformGoodAtMs;
  }

  /** What the touched entries were before the oldest of the changes. */
  get before(): Before {
    const before = new Map(this.#steps[0]?.before);
    for (const step of this.#steps.slice(1)) {
      for (const [key, value] of step.before) if (!before.has(key)) before.set(key, value);
    }
    return before;
  }

  /** A change came, by a path that was good at that moment. `heardHubs`: networks one of whose hubs is heard. */
  begin(step: TrialStep, at: { readonly nowMs: number; readonly heardHubs: Iterable<string> }): void {
    if (!this.isOpen) {
      this.#platformGoodAtMs = at.nowMs;
      this.#hubsKnowAtMs = Number.NEGATIVE_INFINITY;
      this.#hubsGoodAtMs.clear();
    }
    for (const id of at.heardHubs) this.#hubsGoodAtMs.set(id, at.nowMs);
    this.#steps = [...this.#steps, { ...step, appliedAtMs: null }];
    if (this.#steps.length > confirmStepsMax) this.#steps = withoutOldest(this.#steps);
  }

  /**
   * The platform is not heard now. It may have told this node its part of a change, and a hub not yet (a new key, another
   * role), which is lost until the platform is back and the hub has connected again.
   */
  notHeard(nowMs: number): void {
    this.#hubsKnowAtMs = nowMs + reconnectMaxMs;
  }

  /** The document that was to come did not. */
  cancel(step: TrialStep): void {
    this.#steps = this.#steps.filter(({ before }) => before !== step.before);
  }

  /** The machine is equal to the document of that revision. */
  applied(revision: number, nowMs: number): void {
    this.#steps = this.#steps.map((step) =>
      step.appliedAtMs === null && step.revision <= revision ? { ...step, appliedAtMs: nowMs } : step,
    );
  }

  end(): void {
    this.#steps = [];
    this.#hubsGoodAtMs.clear();
  }

  decide(sighting: Sighting): Decision {
    this.#note(sighting);
    const { nowMs } = sighting;
    if (nowMs - this.#platformGoodAtMs >= confirmLostMs)
      return { kind: 'roll_back', loss: { kind: 'platform' } };
    for (const [networkId, goodAtMs] of this.#hubsGoodAtMs) {
      const lostMs = nowMs - Math.max(goodAtMs, this.#hubsKnowAtMs);
      if (lostMs >= confirmLostMs) return { kind: 'roll_back', loss: { kind: 'hubs', networkId } };
    }
    const goodAtMs = Math.min(this.#platformGoodAtMs, ...this.#hubsGoodAtMs.values());
    const open = this.#steps.findIndex(
      ({ appliedAtMs }) => appliedAtMs === null || appliedAtMs + confirmTrialMs > goodAtMs,
    );
    const steps = open < 0 ? this.#steps.length : open;
    if (steps === 0) return { kind: 'wait' };
    this.#steps = this.#steps.slice(steps);
    return { kind: 'confirmed', steps };
  }

  /** A platform that is dead, or whose own machine or network is, is no loss of this node's path to it. */
  #note({ nowMs, heardAtMs, path, isOutsideHeard, hubs }: Sighting): void {
    this.#platformGoodAtMs = Math.max(this.#platformGoodAtMs, heardAtMs);
    if (path !== null) this.notHeard(nowMs);
    if (path === 'answers' || (path === 'silent' && isOutsideHeard)) this.#platformGoodAtMs = nowMs;
    for (const networkId of this.#hubsGoodAtMs.keys()) {
      const hub = hubs.get(networkId);
      // Taken out of the network, or of its hubs: there is nothing to lose any more.
      if (hub === undefined) this.#hubsGoodAtMs.delete(networkId);
      else if (hub.isHeard || !hub.isSuspect) this.#hubsGoodAtMs.set(networkId, nowMs);
    }
  }
}

/** The two oldest as one: what was before the first, confirmed with the second. */
function withoutOldest([first, second, ...rest]: readonly Step[]): readonly Step[] {
  if (first === undefined || second === undefined) return rest;
  return [{ ...second, before: new Map([...second.before, ...first.before]) }, ...rest];
}
