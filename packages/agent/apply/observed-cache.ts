// What is known of the machine: looked at as a whole, or only where something was just changed.
import { isIpStep } from '../subsystems/iproute/batch.ts';
import type { LookScope } from '../subsystems/look-scope.ts';
import { nothingObserved, type Observation, type ObservedState } from '../subsystems/observed.ts';
import { subsystemOf } from '../subsystems/registry.ts';
import { routesAfter } from '../subsystems/routes/plan.ts';
import type { Step } from '../subsystems/step.ts';
import type { Machine } from './machine.ts';

export class ObservedCache {
  readonly #machine: Pick<Machine, 'look'>;
  #state: ObservedState | null = null;
  #isKnown = false;

  constructor(machine: Pick<Machine, 'look'>) {
    this.#machine = machine;
  }

  get state(): ObservedState {
    return this.#state ?? nothingObserved;
  }

  /** Whether the machine was ever looked at. */
  get isFilled(): boolean {
    return this.#state !== null;
  }

  /** Whether nothing has put in doubt since what was observed. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  invalidate(): void {
    this.#isKnown = false;
  }

  async lookAtAll(): Promise<void> {
    const put = await this.#machine.look({ kind: 'everything' });
    this.#state = put(nothingObserved);
    this.#isKnown = true;
  }

  /**
   * Looks where steps have changed something. false: that is everywhere, and was not looked at. `reroutesDone` resolves
   * when no route is being changed beside.
   */
  async lookAfter(steps: readonly Step[], reroutesDone: () => Promise<void>): Promise<boolean> {
    if (steps.some((step) => subsystemOf(step).changesOthers?.(step))) return false;
    if (steps.some(isIpStep)) await reroutesDone();
    await this.#lookAt({ kind: 'after', steps, before: this.state });
    return true;
  }

  /** Looks at the table of rules alone, of which somebody deleted a part. */
  lookAtRules(): Promise<void> {
    return this.#lookAt({ kind: 'rules' });
  }

  /** Looks at the handshakes and counters of one interface. */
  lookAtTunnels(name: string): Promise<void> {
    return this.#lookAt({ kind: 'tunnels', interface: name });
  }

  /** Takes routes to be as these steps make them. */
  assumeRoutes(steps: readonly Step[]): void {
    if (this.#state !== null) {
      this.#state = { ...this.#state, routes: routesAfter(this.#state.routes, steps) };
    }
  }

  async #lookAt(scope: LookScope): Promise<void> {
    const put: Observation = await this.#machine.look(scope);
    if (this.#state !== null) this.#state = put(this.#state);
  }
}
