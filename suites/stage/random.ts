// Chance that can be repeated: a generator with a seed, and the few questions asked of it.
import { type Random, seededRandom } from '@powernode/core/testing/random';

export class Chance {
  /** From 0 up to, but without, 1. */
  readonly next: Random;

  constructor(seed: number) {
    this.next = seededRandom(seed);
  }

  /** A whole number from 0 up to, but without, `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** One of them, or null when there is none. */
  oneOf<T>(items: readonly T[]): T | null {
    return items[this.below(items.length)] ?? null;
  }

  /** One of the kinds, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of entries) {
      rest -= weight;
      if (rest < 0) return kind;
    }
    return (entries.at(-1) as [K, number])[0];
  }

  /** Another generator that follows from this one, so that two loops do not take each other's numbers. */
  fork(): Chance {
    return new Chance(this.below(2 ** 32));
  }
}
