// Routes whose path has just died, or is back: they go another way at once, beside whatever else is being done, without
// a look at the machine. What comes of it is found by the next look.
import { planSwitch } from '../subsystems/routes/plan.ts';
import type { Step } from '../subsystems/step.ts';
import type { Machine } from './machine.ts';
import type { ObservedCache } from './observed-cache.ts';
import type { PathSelector } from './path-selector.ts';

export interface FastRerouteParts {
  readonly machine: Machine;
  readonly observed: ObservedCache;
  readonly paths: PathSelector;
  /** What differs of the peers under these keys. */
  readonly planPeers: (tunnels: readonly string[]) => readonly Step[];
  readonly switched: () => void;
  /** Not all of it could be done: it is not known what the machine is like now. `error`: what was thrown, if it was. */
  readonly failed: (error?: unknown) => void;
}

export class FastReroute {
  readonly #parts: FastRerouteParts;
  /** One switch after the other; never fails. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: FastRerouteParts) {
    this.#parts = parts;
  }

  /** Resolves when everything that was begun is done, also what was begun while this waited. */
  async settled(): Promise<void> {
    for (let last: Promise<void> | null = null; last !== this.#last; ) {
      last = this.#last;
      await last;
    }
  }

  /** Chooses anew and sees to it. */
  switchNow(): void {
    const { observed, paths } = this.#parts;
    // Before the first look it is not known what there is; what is chosen then is part of the first plan.
    if (!observed.isFilled) return;
    try {
      const before = paths.choices;
      const { destinations, tunnels } = paths.choose();
      const { choices } = paths;
      const { document } = paths.index;
      const routes = planSwitch(destinations, { document, observed: observed.state, before, choices });
      const peers = tunnels.length === 0 ? [] : this.#parts.planPeers(tunnels);
      if (routes.length + peers.length === 0) return;
      observed.assumeRoutes(routes);
      this.#last = this.#last.then(() => this.#switch([...routes, ...peers], peers));
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  async #switch(steps: readonly Step[], peers: readonly Step[]): Promise<void> {
    const { machine, observed, switched, failed } = this.#parts;
    try {
      const isDone = (await machine.execute(steps)).length === 0;
      if (peers.length > 0) await observed.lookAfter(peers, () => Promise.resolve());
      switched();
      if (!isDone) failed();
    } catch (error) {
      switched();
      failed(error);
    }
  }
}
