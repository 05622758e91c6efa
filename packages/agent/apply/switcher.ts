// Routes whose path has just died, or is back: they go another way at once, beside whatever else is being done, without
// a look at the machine. What comes of it is found by the next look.
import { planSwitch } from '../plan/route-plan.ts';
import type { Step } from '../plan/step.ts';
import type { Picture } from './picture.ts';
import type { Sink } from './sink.ts';
import type { Ways } from './ways.ts';

export interface SwitcherParts {
  readonly machine: Sink;
  readonly picture: Picture;
  readonly ways: Ways;
  /** What differs of the peers under these keys. */
  readonly planPeers: (tunnels: readonly string[]) => readonly Step[];
  readonly switched: () => void;
  /** Not all of it could be done: it is not known what the machine is like now. */
  readonly failed: () => void;
}

export class Switcher {
  readonly #parts: SwitcherParts;
  /** One switch after the other; never fails. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: SwitcherParts) {
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
    const { picture, ways } = this.#parts;
    // Before the first look it is not known what there is; what is chosen then is part of the first plan.
    if (!picture.wasSeen) return;
    const before = ways.choices;
    const { destinations, tunnels } = ways.choose();
    const interfaces = ways.index.interfaces.values();
    const { choices } = ways;
    const routes = planSwitch(destinations, { interfaces, seen: picture.seen, before, choices });
    const peers = tunnels.length === 0 ? [] : this.#parts.planPeers(tunnels);
    if (routes.length + peers.length === 0) return;
    picture.assumeRoutes(routes);
    this.#last = this.#last.then(() => this.#switch([...routes, ...peers], peers));
  }

  async #switch(steps: readonly Step[], peers: readonly Step[]): Promise<void> {
    const { machine, picture, switched, failed } = this.#parts;
    let isDone = false;
    try {
      isDone = (await machine.execute(steps)).length === 0;
      if (peers.length > 0) await picture.lookAfter(peers, () => Promise.resolve());
    } catch {
      // Said with its reason by the turn that follows.
      isDone = false;
    }
    switched();
    if (!isDone) failed();
  }
}
