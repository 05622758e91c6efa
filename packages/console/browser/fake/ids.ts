// Identifiers and keys of the fake platform: always the same ones, in the order of their making.
import { seededRandom } from '@powernode/core/testing/random';

/** The n-th identifier, in the shape of a UUID of version 7. */
export function idOf(n: number): string {
  return `0199a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

export function counter(first: number): () => string {
  let next = first;
  return () => {
    next += 1;
    return idOf(next);
  };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Something that looks like a WireGuard key. */
export function keyOf(n: number): string {
  const random = seededRandom(n);
  const letters = Array.from({ length: 42 }, () => alphabet[Math.floor(random() * alphabet.length)] ?? 'A');
  return `${letters.join('')}E=`;
}

const draw = seededRandom(1);
const drawn: number[] = [];

/** The n-th number that was drawn: at least 0, below 1, the same in every run. */
export function chance(n: number): number {
  while (drawn.length <= n) drawn.push(draw());
  return drawn[n] ?? 0;
}
