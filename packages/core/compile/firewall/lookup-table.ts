// The elements of a lookup table. Where several rules have one key, or ports in common, the oldest rule is counted: all of
// them have the same action.
import type { LookupKey, LookupTable } from './model.ts';

export function makeLookupTable(id: string, keys: readonly LookupKey[]): LookupTable {
  const [first] = keys;
  if (first === undefined) throw new Error(`lookup table ${id} has no rules`);
  const { signature } = first;
  return { id, signature, elements: signature.match === 'range' ? ranges(keys) : exact(keys) };
}

function exact(keys: readonly LookupKey[]): Map<string, string> {
  const elements = new Map<string, string>();
  for (const { key, ruleId } of keys) {
    const other = elements.get(key);
    if (other === undefined || ruleId < other) elements.set(key, ruleId);
  }
  return elements;
}

function ranges(keys: readonly LookupKey[]): Map<string, string> {
  const elements = new Map<string, string>();
  const byKey = new Map<string, PortIntervals>();
  for (const { key, ports, ruleId } of [...keys].sort((a, b) => (a.ruleId < b.ruleId ? -1 : 1))) {
    if (ports === null) throw new Error(`a range without ports: ${key}`);
    const intervals = byKey.get(key) ?? new PortIntervals();
    byKey.set(key, intervals);
    for (const [first, last] of intervals.add(ports[0], ports[1])) {
      elements.set(`${key} . ${first === last ? first : `${first}-${last}`}`, ruleId);
    }
  }
  return elements;
}

type PortInterval = readonly [first: number, last: number];

/** A set of disjoint port intervals. A later interval gets only the ports that are still free. */
export class PortIntervals {
  /** Disjoint, not adjacent, in order. */
  #intervals: PortInterval[] = [];

  /** Adds an interval; returns the parts of it that were free. */
  add(first: number, last: number): PortInterval[] {
    const from = this.#firstEndingAtOrAfter(first - 1);
    const free: PortInterval[] = [];
    let next = first;
    let low = first;
    let high = last;
    let to = from;
    for (
      let interval = this.#intervals[to];
      interval !== undefined && interval[0] <= last + 1;
      interval = this.#intervals[++to]
    ) {
      if (next < interval[0]) free.push([next, Math.min(interval[0] - 1, last)]);
      next = Math.max(next, interval[1] + 1);
      low = Math.min(low, interval[0]);
      high = Math.max(high, interval[1]);
    }
    if (next <= last) free.push([next, last]);
    this.#intervals.splice(from, to - from, [low, high]);
    return free;
  }

  #firstEndingAtOrAfter(port: number): number {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#intervals[middle]?.[1] ?? 0) < port) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
