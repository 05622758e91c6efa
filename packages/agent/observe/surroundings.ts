// What else is on this machine that the platform has to know of: its underlay, and the slices that a cluster gave it.
import type { UnderlayFact } from '@powernode/core/net/underlay';
import type { PathIndex } from '../plan/path-index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Run } from '../ports/run.ts';
import type { ObservedState } from '../subsystems/observed.ts';
import { PodSliceWatch } from './pod-slices.ts';
import { UnderlayWatch } from './underlay.ts';

export interface SurroundingsParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly reconciler: { readonly index: PathIndex; readonly observed: ObservedState };
  /** The address by which the platform is reached; null: it never was. */
  readonly platform: () => string | null;
  readonly changed: () => void;
}

export class Surroundings {
  readonly #underlay: UnderlayWatch;
  readonly #podSlices: PodSliceWatch;

  constructor({ run, clock, reconciler, platform, changed }: SurroundingsParts) {
    const isOurs = (name: string) =>
      reconciler.index.interfaces.has(name) || reconciler.observed.interfaces.get(name)?.ours === true;
    this.#underlay = new UnderlayWatch({ run, clock, platform, isOurs, changed });
    this.#podSlices = new PodSliceWatch({ clock, document: () => reconciler.index.document, changed });
  }

  get underlay(): UnderlayFact[] {
    return this.#underlay.facts;
  }

  /** null: no network of this machine has pods. */
  get podSlices(): readonly string[] | null {
    return this.#podSlices.slices;
  }

  /** Looks at all of it, and from then on now and then; resolves when the underlay is known. */
  look(): Promise<void> {
    this.#podSlices.look();
    return this.#underlay.look();
  }

  /** Another document was applied. */
  applied(): void {
    this.#podSlices.look();
  }

  stop(): void {
    this.#underlay.stop();
    this.#podSlices.stop();
  }
}
