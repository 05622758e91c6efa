// Asks, for machines that are elsewhere than before, what follows for their peers, a few at a time, and hands the
// change on. What follows is decided elsewhere (`onObserved`).

import type { Change } from '@powernode/core/compile/fleet-index';
import type { AccountId, InstanceId } from '@powernode/core/ids';
import { observedWorkMax, reportRetryMs } from '@powernode/core/limits/node-stream';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { ObservedMachine } from './arrival.ts';

/** Writes what follows for the machine's peers. */
export type OnObserved = (machine: ObservedMachine) => Promise<{
  /** null: nothing does. */
  readonly change: { readonly sequence: number; readonly changes: readonly Change[] } | null;
  /** In how long more may follow, though the machine stays where it is; null: nothing will. */
  readonly againMs: number | null;
}>;

export interface PlacementParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onObserved: OnObserved;
  readonly changed: (accountId: AccountId, sequence: number, changes: readonly Change[]) => void;
}

export class Placement {
  readonly #parts: PlacementParts;
  /** The newest report of each machine. */
  readonly #waiting = new Map<InstanceId, ObservedMachine>();
  readonly #working = new Set<Promise<void>>();
  /** How to call off the next look at a machine. */
  readonly #due = new Map<InstanceId, () => void>();
  #closed = false;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
  }

  add(machine: ObservedMachine): void {
    if (this.#closed) return;
    this.#callOff(machine.instanceId);
    this.#waiting.set(machine.instanceId, machine);
    this.#work();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    for (const instanceId of [...this.#due.keys()]) this.#callOff(instanceId);
    await Promise.all(this.#working);
  }

  #work(): void {
    for (const [instanceId, machine] of this.#waiting) {
      if (this.#working.size >= observedWorkMax) return;
      this.#waiting.delete(instanceId);
      const work = this.#follow(machine).finally(() => {
        this.#working.delete(work);
        this.#work();
      });
      this.#working.add(work);
    }
  }

  async #follow(machine: ObservedMachine): Promise<void> {
    const { log, onObserved, changed } = this.#parts;
    try {
      const { change, againMs } = await onObserved(machine);
      if (againMs !== null) this.#addIn(againMs, machine);
      if (change !== null) changed(machine.accountId, change.sequence, change.changes);
    } catch (error) {
      log.warn(
        { err: error, instanceId: machine.instanceId },
        'what follows from a new place is tried again',
      );
      this.#addIn(reportRetryMs, machine);
    }
  }

  /** Unless something newer comes first. */
  #addIn(delayMs: number, machine: ObservedMachine): void {
    const { instanceId } = machine;
    if (this.#closed || this.#waiting.has(instanceId)) return;
    this.#callOff(instanceId);
    this.#due.set(
      instanceId,
      this.#parts.clock.after(delayMs, () => this.add(machine)),
    );
  }

  #callOff(instanceId: InstanceId): void {
    this.#due.get(instanceId)?.();
    this.#due.delete(instanceId);
  }
}
