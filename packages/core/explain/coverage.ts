// Which traffic is already decided by rules that go first, as disjoint ranges for each pair of sides. Rules are added
// in their order; asking and adding cost the same whatever the number of rules.

import { breadthOf, rankOf } from '../compile/firewall/rule-order.ts';
import type { RuleEntry } from '../wire/document.ts';

/** Protocols and ports as one number line: tcp ports, then udp ports, then ICMP, then everything else. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

const ports = 65536;
const icmp = 2 * ports;
const other = icmp + 1;

export function rangeOf(rule: Pick<RuleEntry, 'protocol' | 'ports'>): Range {
  const [first, last] = rule.ports ?? [0, ports - 1];
  switch (rule.protocol) {
    case 'tcp':
      return { first, last };
    case 'udp':
      return { first: ports + first, last: ports + last };
    case 'icmp6':
      return { first: icmp, last: icmp };
    case 'any':
      return { first: 0, last: other };
  }
}

/** A range that one rule decides. */
export interface Interval extends Range {
  readonly rule: RuleEntry;
}

const hooks = ['ingress', 'egress'] as const;
export type Hook = (typeof hooks)[number];

export function hooksOf(rule: Pick<RuleEntry, 'direction'>): readonly Hook[] {
  return rule.direction === 'both' ? hooks : [rule.direction];
}

/** Disjoint intervals in order. */
class IntervalSet {
  readonly #intervals: Interval[] = [];

  /** The interval at a point, or the next one after it. */
  from(point: number): Interval | undefined {
    return this.#intervals[this.#indexFrom(point)];
  }

  /** Gives the rule those parts of the range that no rule has yet. */
  fill({ first, last }: Range, rule: RuleEntry): void {
    let at = this.#indexFrom(first);
    let point = first;
    while (point <= last) {
      const next = this.#intervals[at];
      if (next !== undefined && next.first <= point) {
        point = next.last + 1;
        at++;
        continue;
      }
      const end = next === undefined ? last : Math.min(last, next.first - 1);
      this.#intervals.splice(at, 0, { first: point, last: end, rule });
      point = end + 1;
      at++;
    }
  }

  /** The first interval that ends at the point or later. */
  #indexFrom(point: number): number {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const interval = this.#intervals[middle];
      if (interval !== undefined && interval.last < point) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class Coverage {
  /** By the key of the source, then by hook and the key of the destination. */
  readonly #sets = new Map<string, Map<string, IntervalSet>>();

  add(
    rule: RuleEntry,
    pair: { readonly from: string; readonly to: string; readonly decider: RuleEntry },
  ): void {
    for (const hook of hooksOf(rule)) this.#set(hook, pair).fill(rangeOf(rule), pair.decider);
  }

  /** The rules that decide all of the range together; null: a part of it is not decided yet. */
  deciders(
    hook: Hook,
    range: Range,
    at: { readonly from: readonly string[]; readonly to: readonly string[] },
  ) {
    const sets = this.#setsAt(hook, at);
    const deciders = new Set<RuleEntry>();
    let point = range.first;
    while (point <= range.last) {
      let reach = point;
      let decider: RuleEntry | null = null;
      for (const set of sets) {
        const interval = set.from(point);
        if (interval === undefined || interval.first > point || interval.last < reach) continue;
        reach = interval.last + 1;
        decider = interval.rule;
      }
      if (decider === null) return null;
      deciders.add(decider);
      point = reach;
    }
    return deciders;
  }

  /** A rule that decides a part of the range otherwise. */
  opposite(rule: RuleEntry, at: { readonly from: readonly string[]; readonly to: string }): RuleEntry | null {
    const range = rangeOf(rule);
    for (const hook of hooksOf(rule)) {
      for (const set of this.#setsAt(hook, { from: at.from, to: [at.to] })) {
        let interval = set.from(range.first);
        while (interval !== undefined && interval.first <= range.last) {
          // A decider that is more specific or narrower is an exception and no contradiction.
          const isEqual =
            rankOf(interval.rule.from) === rankOf(rule.from) && breadthOf(interval.rule) === breadthOf(rule);
          if (isEqual && isOpposite(interval.rule, rule)) return interval.rule;
          interval = set.from(interval.last + 1);
        }
      }
    }
    return null;
  }

  #set(hook: Hook, { from, to }: { readonly from: string; readonly to: string }): IntervalSet {
    const sets = this.#sets.get(from) ?? new Map<string, IntervalSet>();
    this.#sets.set(from, sets);
    const set = sets.get(`${hook} ${to}`) ?? new IntervalSet();
    sets.set(`${hook} ${to}`, set);
    return set;
  }

  #setsAt(
    hook: Hook,
    at: { readonly from: readonly string[]; readonly to: readonly string[] },
  ): IntervalSet[] {
    return at.from.flatMap((from) => {
      const sets = this.#sets.get(from);
      return sets === undefined ? [] : at.to.flatMap((to) => sets.get(`${hook} ${to}`) ?? []);
    });
  }
}

/** A rejection is a drop that says so. */
export function isOpposite(a: Pick<RuleEntry, 'action'>, b: Pick<RuleEntry, 'action'>): boolean {
  return (a.action === 'accept') !== (b.action === 'accept');
}
