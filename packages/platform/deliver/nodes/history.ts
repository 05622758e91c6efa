// The newest patches of one node: how an older document becomes the present one. A base is proven by its hash:
// going back from the present digest patch by patch, the document that a node holds is one of those passed, or
// it is unknown here.
import { subtractDigests } from '@powernode/core/compile/digest';
import { type CompiledEntry, mergeAll, type Patch } from '@powernode/core/compile/patch';
import { nodeHistoryWeightMax, ownEntryWeight } from '@powernode/core/limits/node-stream';

/** A patch as it is kept. Nodes that were reached alike share one. */
export interface Step {
  readonly patch: Patch;
  readonly weight: number;
}

export function sharedStep(patch: Patch): Step {
  return { patch, weight: 1 };
}

export function ownStep(patch: Patch): Step {
  return { patch, weight: 1 + ownEntryWeight * (patch.set.size + patch.remove.size) };
}

const none: readonly Step[] = [];

export class History {
  /** The oldest ones before `#from` are forgotten; they are cut off now and then. Most nodes never have any. */
  #steps: readonly Step[] | Step[] = none;
  #from = 0;
  #weight = 0;

  push(step: Step): void {
    if (this.#steps === none) this.#steps = [];
    const steps = this.#steps as Step[];
    steps.push(step);
    this.#weight += step.weight;
    while (this.#weight > nodeHistoryWeightMax) {
      this.#weight -= steps[this.#from]?.weight ?? 0;
      this.#from++;
    }
    if (this.#from > 32 && this.#from * 2 > steps.length) {
      this.#steps = steps.slice(this.#from);
      this.#from = 0;
    }
  }

  /**
   * What became of one entry on the way from the document of the digest `held` to the one of `present`, oldest first;
   * null where it was removed. Null altogether when that way is not known.
   */
  passed(
    key: string,
    { held, present }: { readonly held: bigint; readonly present: bigint },
  ): (CompiledEntry | null)[] | null {
    if (held === present) return [];
    const passed: (CompiledEntry | null)[] = [];
    let digest = present;
    for (let i = this.#steps.length - 1; i >= this.#from; i--) {
      const step = this.#steps[i];
      if (step === undefined) return null;
      const entry = step.patch.set.get(key);
      if (entry !== undefined) passed.push(entry);
      else if (step.patch.remove.has(key)) passed.push(null);
      digest = subtractDigests(digest, step.patch.digest);
      if (digest === held) return passed.reverse();
    }
    return null;
  }

  /** What one entry has been by what is kept here, oldest first; null where it was removed. */
  valuesOf(key: string): (CompiledEntry | null)[] {
    const values: (CompiledEntry | null)[] = [];
    for (const { patch } of this.#steps.slice(this.#from)) {
      const entry = patch.set.get(key);
      if (entry !== undefined) values.push(entry);
      else if (patch.remove.has(key)) values.push(null);
    }
    return values;
  }

  /** What leads from the document of the digest `held` to the one of `present`; null when that is not known. */
  since({ held, present }: { readonly held: bigint; readonly present: bigint }): Patch | null {
    let digest = present;
    for (let i = this.#steps.length - 1; i >= this.#from; i--) {
      const step = this.#steps[i];
      if (step === undefined) return null;
      digest = subtractDigests(digest, step.patch.digest);
      if (digest === held) return mergeAll(this.#steps.slice(i).map(({ patch }) => patch));
    }
    return null;
  }
}
