// Which traffic is already decided by rules that go first, as disjoint ranges for each pair of sides. Rules are added
// in their order; asking and adding cost the same whatever the number of rules.

import { breadthOf, rankOf } from '../compile/firewall/rule-order.ts';
import type { RuleEntry } from '../wire/document.ts';

/** Protocols and ports as one line: tcp ports, then udp ports, then ICMP, then everything else. */
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
export interface Segment extends Range {
  readonly rule: RuleEntry;
}

const hooks = ['ingress', 'egress'] as const;
export type Hook = (typeof hooks)[number];

export function hooksOf(rule: Pick<RuleEntry, 'direction'>): readonly Hook[] {
  return rule.direction === 'both' ? hooks : [rule.direction];
}

/** Disjoint segments in order. */
class Line {
  readonly #segments: Segment[] = [];

  /** The segment at a point, or the next one after it. */
  from(point: number): Segment | undefined {
    return this.#segments[this.#indexFrom(point)];
  }

  /** Takes what is still free of the range. */
  fill({ first, last }: Range, rule: RuleEntry): void {
    let at = this.#indexFrom(first);
    let point = first;
    while (point <= last) {
      const next = this.#segments[at];
      if (next !== undefined && next.first <= point) {
        point = next.last + 1;
        at++;
        continue;
      }
      const end = next === undefined ? last : Math.min(last, next.first - 1);
      this.#segments.splice(at, 0, { first: point, last: end, rule });
      point = end + 1;
      at++;
    }
  }

  /** The first segment that ends at the point or later. */
  #indexFrom(point: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.#segments[middle];
      if (segment !== undefined && segment.last < point) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class Coverage {
  /** By the key of the source, then by hook and the key of the destination. */
  readonly #lines = new Map<string, Map<string, Line>>();

  add(
    rule: RuleEntry,
    pair: { readonly from: string; readonly to: string; readonly decider: RuleEntry },
  ): void {
    for (const hook of hooksOf(rule)) this.#line(hook, pair).fill(rangeOf(rule), pair.decider);
  }

  /** The rules that decide all of the range together; null: a part of it is not decided yet. */
  deciders(
    hook: Hook,
    range: Range,
    at: { readonly from: readonly string[]; readonly to: readonly string[] },
  ) {
    const lines = this.#linesAt(hook, at);
    const deciders = new Set<RuleEntry>();
    let point = range.first;
    while (point <= range.last) {
      let reach = point;
      let decider: RuleEntry | null = null;
      for (const line of lines) {
        const segment = line.from(point);
        if (segment === undefined || segment.first > point || segment.last < reach) continue;
        reach = segment.last + 1;
        decider = segment.rule;
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
      for (const line of this.#linesAt(hook, { from: at.from, to: [at.to] })) {
        let segment = line.from(range.first);
        while (segment !== undefined && segment.first <= range.last) {
          // A decider that is more specific or narrower is an exception and no contradiction.
          const isEqual =
            rankOf(segment.rule.from) === rankOf(rule.from) && breadthOf(segment.rule) === breadthOf(rule);
          if (isEqual && isOpposite(segment.rule, rule)) return segment.rule;
          segment = line.from(segment.last + 1);
        }
      }
    }
    return null;
  }

  #line(hook: Hook, { from, to }: { readonly from: string; readonly to: string }): Line {
    const lines = this.#lines.get(from) ?? new Map<string, Line>();
    this.#lines.set(from, lines);
    const line = lines.get(`${hook} ${to}`) ?? new Line();
    lines.set(`${hook} ${to}`, line);
    return line;
  }

  #linesAt(hook: Hook, at: { readonly from: readonly string[]; readonly to: readonly string[] }): Line[] {
    return at.from.flatMap((from) => {
      const lines = this.#lines.get(from);
      return lines === undefined ? [] : at.to.flatMap((to) => lines.get(`${hook} ${to}`) ?? []);
    });
  }
}

/** A rejection is a drop that says so. */
export function isOpposite(a: Pick<RuleEntry, 'action'>, b: Pick<RuleEntry, 'action'>): boolean {
  return (a.action === 'accept') !== (b.action === 'accept');
}
