// The elements of a bucket. Where several rules have one key, or ports in common, the oldest is the one that counts:
// they all do the same.
import type { Bucket, Place } from './model.ts';

export function makeBucket(id: string, places: readonly Place[]): Bucket {
  const [first] = places;
  if (first === undefined) throw new Error(`bucket ${id} has no rules`);
  const { shape } = first;
  return { id, shape, elements: shape.match === 'range' ? ranges(places) : exact(places) };
}

function exact(places: readonly Place[]): Map<string, string> {
  const elements = new Map<string, string>();
  for (const { cell, ruleId } of places) {
    const other = elements.get(cell);
    if (other === undefined || ruleId < other) elements.set(cell, ruleId);
  }
  return elements;
}

function ranges(places: readonly Place[]): Map<string, string> {
  const elements = new Map<string, string>();
  const painted = new Map<string, PaintedPorts>();
  for (const { cell, ports, ruleId } of [...places].sort((a, b) => (a.ruleId < b.ruleId ? -1 : 1))) {
    if (ports === null) throw new Error(`a range without ports: ${cell}`);
    const canvas = painted.get(cell) ?? new PaintedPorts();
    painted.set(cell, canvas);
    for (const [first, last] of canvas.paint(ports[0], ports[1])) {
      elements.set(`${cell} . ${first === last ? first : `${first}-${last}`}`, ruleId);
    }
  }
  return elements;
}

type Span = readonly [first: number, last: number];

/** Ports that are taken. What is painted later only gets what is left. */
export class PaintedPorts {
  /** Disjoint, not adjacent, in order. */
  #taken: Span[] = [];

  /** The parts of the span that were free. */
  paint(first: number, last: number): Span[] {
    const from = this.#firstEndingAtOrAfter(first - 1);
    const free: Span[] = [];
    let next = first;
    let low = first;
    let high = last;
    let to = from;
    for (let span = this.#taken[to]; span !== undefined && span[0] <= last + 1; span = this.#taken[++to]) {
      if (next < span[0]) free.push([next, Math.min(span[0] - 1, last)]);
      next = Math.max(next, span[1] + 1);
      low = Math.min(low, span[0]);
      high = Math.max(high, span[1]);
    }
    if (next <= last) free.push([next, last]);
    this.#taken.splice(from, to - from, [low, high]);
    return free;
  }

  #firstEndingAtOrAfter(port: number): number {
    let low = 0;
    let high = this.#taken.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#taken[middle]?.[1] ?? 0) < port) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
