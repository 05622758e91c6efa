// Rules that decide and change nothing: a broader rule of the same selector does the same, and no rule between the two
// decides any of that traffic otherwise. In time that grows with the number of rules: what costs more is not said.
import { auditBetweenMax } from '../limits/overlay.ts';
import type { RuleEntry, RuleSide } from '../wire/document.ts';
import { hooksOf, type Range, rangeOf } from './coverage.ts';
import { type Finding, redundant } from './findings.ts';
import { namesOfSide, type Sides } from './sides.ts';

interface RedundancyParts {
  /** In their order. */
  readonly rules: readonly RuleEntry[];
  readonly sides: Sides;
  /** Those that decide about no packet, so that no other rule is redundant because of them. */
  readonly ineffective: ReadonlySet<RuleEntry>;
}

/** Positions of rules in their order, ascending. */
type Places = number[];

/** A rule with its hooks, range and destination, prepared for comparison. */
interface Scope {
  readonly rule: RuleEntry;
  readonly hooks: ReadonlySet<string>;
  readonly range: Range;
  readonly to: Destination;
}

interface Destination {
  readonly side: RuleSide;
  readonly names: ReadonlySet<string>;
  /** For each set of addresses: the keys of all sides that contain it. */
  readonly supersets: readonly (readonly string[])[];
}

export class Redundancy {
  readonly #parts: RedundancyParts;
  readonly #scopes: readonly Scope[];
  /** Rules that decide: by their selector, then by each name of their destination. */
  readonly #broader = new Map<string, Map<string, Places>>();
  /** All rules by each name of their selector. */
  readonly #bySource = new Map<string, Places>();
  /** The rule that decides instead of a redundant one. */
  readonly #remaining = new Map<RuleEntry, RuleEntry>();

  constructor(parts: RedundancyParts) {
    this.#parts = parts;
    const destinations = new Map<string, Destination>();
    this.#scopes = parts.rules.map((rule) => ({
      rule,
      hooks: new Set(hooksOf(rule)),
      range: rangeOf(rule),
      to: this.#destination(rule.to, destinations),
    }));
    for (const [place, rule] of parts.rules.entries()) {
      for (const name of namesOfSide(rule.from)) listIn(this.#bySource, name).push(place);
      if (parts.ineffective.has(rule)) continue;
      const key = keyOfSide(rule.from);
      const byName = this.#broader.get(key) ?? new Map<string, Places>();
      this.#broader.set(key, byName);
      for (const name of namesOfSide(rule.to)) listIn(byName, name).push(place);
    }
  }

  /** From the last rule to the first, so that the rule that takes over for a redundant one is never redundant itself. */
  *findings(): Generator<Finding | null> {
    for (const [place, scope] of [...this.#scopes.entries()].reverse()) {
      const { rule } = scope;
      const broader = this.#parts.ineffective.has(rule) ? null : this.#redundantTo(place, scope);
      if (broader !== null) this.#remaining.set(rule, broader);
      yield broader === null ? null : redundant(rule, broader);
    }
  }

  #destination(side: RuleSide, known: Map<string, Destination>): Destination {
    const key = keyOfSide(side);
    const { sides } = this.#parts;
    const found = known.get(key) ?? {
      side,
      names: new Set(namesOfSide(side)),
      supersets: sides.addressSetsOf(side).map((addressSet) => sides.supersetsOf(addressSet)),
    };
    known.set(key, found);
    return found;
  }

  #redundantTo(place: number, scope: Scope): RuleEntry | null {
    const budget = { rules: auditBetweenMax };
    const next = this.#nextThatCovers(place, { scope, budget });
    const broader = next === null ? undefined : this.#parts.rules[next];
    if (next === null || broader === undefined) return null;
    if (this.#isDecidedOtherwise(scope, { after: place, before: next, budget })) return null;
    return this.#remaining.get(broader) ?? broader;
  }

  /** The first rule after this one that does the same to all that it names. */
  #nextThatCovers(place: number, of: { readonly scope: Scope; readonly budget: Budget }): number | null {
    const { scope, budget } = of;
    const byName = this.#broader.get(keyOfSide(scope.rule.from));
    const [supersets] = scope.to.supersets;
    if (byName === undefined || supersets === undefined) return null;
    let found: number | null = null;
    for (const name of supersets) {
      const places = byName.get(name) ?? [];
      for (let at = firstAfter(places, place); at < places.length; at++) {
        const other = places[at] ?? 0;
        if (found !== null && other >= found) break;
        if (--budget.rules < 0) return null;
        const candidate = this.#scopes[other];
        if (candidate === undefined || !covers(candidate, scope)) continue;
        found = other;
        break;
      }
    }
    return found;
  }

  /** Whether a rule between two others may do something else to packets that the first of them names. */
  #isDecidedOtherwise(
    scope: Scope,
    of: { readonly after: number; readonly before: number; readonly budget: Budget },
  ): boolean {
    for (const name of this.#sourcesThatMeet(scope.rule.from)) {
      const places = this.#bySource.get(name) ?? [];
      for (let at = firstAfter(places, of.after); at < places.length; at++) {
        const place = places[at] ?? 0;
        if (place >= of.before) break;
        if (--of.budget.rules < 0) return true;
        const other = this.#scopes[place];
        if (other === undefined || other.rule.action === scope.rule.action) continue;
        if (this.#meet(other, scope)) return true;
      }
    }
    return false;
  }

  /** Selectors of the same rank with common addresses: only these can be between two rules of one selector. */
  #sourcesThatMeet(from: RuleSide): readonly string[] {
    if (from.kind !== 'group') return namesOfSide(from);
    return [...this.#parts.sides.overlappingGroups(from.group)].map((group) => `group ${group}`);
  }

  /** Whether two rules whose selectors meet may name one packet. */
  #meet(a: Scope, b: Scope): boolean {
    if (a.range.first > b.range.last || b.range.first > a.range.last) return false;
    if (a.hooks.isDisjointFrom(b.hooks)) return false;
    return this.#destinationsMeet(a.to, b.to);
  }

  #destinationsMeet(a: Destination, b: Destination): boolean {
    if (isInPart(a, b) || isInPart(b, a)) return true;
    const { sides } = this.#parts;
    if (a.side.kind === 'group' && b.side.kind === 'group') {
      return sides.overlappingGroups(a.side.group).has(b.side.group);
    }
    return this.#containsMemberOf(a.side, b) || this.#containsMemberOf(b.side, a);
  }

  #containsMemberOf(group: RuleSide, { names }: Destination): boolean {
    if (group.kind !== 'group') return false;
    const { sides } = this.#parts;
    return sides
      .addressSetsOf(group)
      .flatMap((addressSet) => sides.partsOf(addressSet))
      .some((member) => sides.supersetsOf(member).some((name) => names.has(name)));
  }
}

/** Whether the first of two rules of one selector does the same to all that the second names. */
function covers(broader: Scope, scope: Scope): boolean {
  return (
    broader.rule.action === scope.rule.action &&
    broader.range.first <= scope.range.first &&
    scope.range.last <= broader.range.last &&
    scope.hooks.isSubsetOf(broader.hooks) &&
    scope.to.supersets.every((supersets) => supersets.some((name) => broader.to.names.has(name)))
  );
}

/** Whether a side contains a set of another one. */
function isInPart(inner: Destination, outer: Destination): boolean {
  return inner.supersets.some((supersets) => supersets.some((name) => outer.names.has(name)));
}

/** How many rules may still be looked at. */
interface Budget {
  rules: number;
}

function listIn(lists: Map<string, Places>, name: string): Places {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

function keyOfSide(side: RuleSide): string {
  return [...namesOfSide(side)].sort().join(' ');
}

function firstAfter(places: Places, place: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
