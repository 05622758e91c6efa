// What is wrong with a network's firewall: rules that can never decide, that contradict or repeat others, that change
// nothing (redundancy.ts) or match nothing, each with the reason. In time that grows with the number of rules, not with
// its square. Port mappings and virtual IPs whose target was deleted: audit-targets.ts.
import { hostAddressesOf, prefixesOf } from '../compile/entries.ts';
import { compareRules } from '../compile/firewall/rule-order.ts';
import { ruleContribution } from '../compile/items/firewall-rule.ts';
import { memberOf } from '../compile/items/index.ts';
import type { RuleModel } from '../compile/model.ts';
import { auditNeighboursMax, auditPairsMax } from '../limits/overlay.ts';
import type { RuleEntry, RuleSide } from '../wire/document.ts';
import { Coverage, hooksOf, isOpposite, rangeOf } from './coverage.ts';
import { type AuditedNetwork, DeadSides } from './dead-sides.ts';
import {
  contradicted,
  contradictedInPart,
  type Finding,
  familiesApart,
  repeated,
  shadowed,
} from './findings.ts';
import { Redundancy } from './redundancy.ts';
import { type AddressSet, familyOf, namesOfSide, Sides } from './sides.ts';

/**
 * Disabled rules reach no node and are left out. At most one finding for each rule. The null values between findings
 * are pauses at which other work can run: the audited network is the one of the first pause.
 */
export function* auditRules(live: AuditedNetwork): Generator<Finding | null> {
  const network = copyOf(live);
  yield null;
  const dead = new DeadSides(network);
  const named: RuleEntry[] = [];
  const found = new Map<string, Finding>();
  for (const rule of network.items()) {
    if (rule.type !== 'firewall_rule' || !rule.enabled) continue;
    const finding = dead.ofRule(rule);
    if (finding !== null) found.set(rule.id, finding);
    // A rule that matches nothing now has its precedence over others once it matches something.
    const entry = entryOf(rule, network);
    if (entry !== null) named.push(entry);
    yield null;
  }
  const audit = new RuleAudit(network, named);
  yield* found.values();
  for (const finding of audit.findings()) {
    yield finding === null || found.has(finding.object.id) ? null : finding;
  }
}

function copyOf(network: AuditedNetwork): AuditedNetwork {
  const peers = new Map(Array.from(network.peers(), (peer) => [peer.id, peer]));
  const items = new Map(Array.from(network.items(), (item) => [item.id, item]));
  return {
    network: network.network,
    peer: (id) => peers.get(id),
    peers: () => peers.values(),
    item: (id) => items.get(id),
    items: () => items.values(),
  };
}

/** What nodes have of the rule; null: none has it. */
function entryOf(rule: RuleModel, network: AuditedNetwork): RuleEntry | null {
  const { all, peers } = ruleContribution(rule, {
    network: network.network,
    peer: (id) => network.peer(id),
    item: (id) => network.item(id),
    hubs: () => [],
    transit: [],
  });
  const [entry] = all.length > 0 ? all : (peers.values().next().value ?? []);
  return entry?.kind === 'rule' ? entry : null;
}

class RuleAudit {
  readonly #rules: readonly RuleEntry[];
  readonly #sides: Sides;
  readonly #coverage = new Coverage();
  /** By their traffic: the rules that decide about some of it. */
  readonly #same = new Map<string, RuleEntry>();

  constructor(network: AuditedNetwork, rules: readonly RuleEntry[]) {
    this.#rules = [...rules].sort(compareRules);
    this.#sides = new Sides({
      sides: rules.flatMap((rule) => [rule.from, rule.to]),
      groups: groupsOf(network),
      families: prefixesOf(network.network).length === 1 ? [6] : [6, 4],
    });
  }

  *findings(): Generator<Finding | null> {
    const ineffective = new Set<RuleEntry>();
    const reported = new Set<string>();
    for (const rule of this.#rules) {
      const finding = this.#examine(rule);
      if (finding !== null) reported.add(finding.object.id);
      if (finding !== null && !decides(finding)) ineffective.add(rule);
      yield finding;
    }
    for (const finding of new Redundancy({
      rules: this.#rules,
      sides: this.#sides,
      ineffective,
    }).findings()) {
      yield finding === null || reported.has(finding.object.id) ? null : finding;
    }
  }

  /** Examines a rule after all of higher precedence, and adds it to them. */
  #examine(rule: RuleEntry): Finding | null {
    const text = trafficOf(rule);
    const same = this.#same.get(text);
    if (same !== undefined) return isOpposite(same, rule) ? contradicted(rule, same) : repeated(rule, same);
    const deciders = this.#deciders(rule);
    if (deciders?.size === 0) return familiesApart(rule);
    const [decider] = deciders ?? [];
    const opposite = decider === undefined ? this.#opposite(rule) : null;
    // Where a rule never decides, those that are covered by it are covered by the one that does.
    this.#add(rule, decider ?? rule);
    if (decider !== undefined) return shadowed(rule, decider, (deciders?.size ?? 1) - 1);
    this.#same.set(text, rule);
    return opposite === null ? null : contradictedInPart(rule, opposite);
  }

  #add(rule: RuleEntry, decider: RuleEntry): void {
    for (const from of namesOfSide(rule.from)) {
      for (const to of namesOfSide(rule.to)) this.#coverage.add(rule, { from, to, decider });
    }
  }

  /** The rules that decide all of this one's packets (none: it matches no packet); null: some are left for it. */
  #deciders(rule: RuleEntry): Set<RuleEntry> | null {
    const found = new Set<RuleEntry>();
    const budget = { pairs: auditPairsMax };
    for (const from of this.#sides.addressSetsOf(rule.from)) {
      for (const to of this.#sides.addressSetsOf(rule.to)) {
        if (!this.#isCovered(rule, { from, to, found, budget })) return null;
      }
    }
    return found;
  }

  #isCovered(rule: RuleEntry, pair: Pair): boolean {
    const { from, to, found, budget } = pair;
    const families = [familyOf(from), familyOf(to)];
    if (families.includes(6) && families.includes(4)) return true;
    if (--budget.pairs < 0) return false;
    const at = { from: this.#sides.supersetsOf(from), to: this.#sides.supersetsOf(to) };
    const deciders = hooksOf(rule).map((hook) => this.#coverage.deciders(hook, rangeOf(rule), at));
    if (deciders.every((rules) => rules !== null)) {
      for (const rules of deciders) for (const one of rules ?? []) found.add(one);
      return true;
    }
    const fromParts = this.#sides.partsOf(from);
    if (fromParts.length > 0)
      return fromParts.every((part) => this.#isCovered(rule, { ...pair, from: part }));
    const toParts = this.#sides.partsOf(to);
    return toParts.length > 0 && toParts.every((part) => this.#isCovered(rule, { ...pair, to: part }));
  }

  /** A rule as specific that decides a part of the same traffic otherwise. */
  #opposite(rule: RuleEntry): RuleEntry | null {
    const { from } = rule;
    const groups =
      from.kind === 'group'
        ? [...this.#sides.overlappingGroups(from.group)].slice(0, auditNeighboursMax)
        : [];
    const names = from.kind === 'group' ? groups.map((group) => `group ${group}`) : namesOfSide(from);
    for (const to of namesOfSide(rule.to)) {
      const opposite = this.#coverage.opposite(rule, { from: names, to });
      if (opposite !== null) return opposite;
    }
    return null;
  }
}

/** Whether the rule decides about packets all the same. */
function decides({ kind, severity }: Finding): boolean {
  return kind === 'contradictory' && severity === 'info';
}

interface Pair {
  readonly from: AddressSet;
  readonly to: AddressSet;
  readonly found: Set<RuleEntry>;
  readonly budget: { pairs: number };
}

function groupsOf(network: AuditedNetwork): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const join = (tags: readonly string[], addresses: readonly string[]) => {
    for (const tag of tags) {
      const members = groups.get(tag);
      if (members === undefined) groups.set(tag, [...addresses]);
      else members.push(...addresses);
    }
  };
  for (const peer of network.peers()) join(peer.tags, hostAddressesOf(peer));
  for (const item of network.items()) {
    const member = memberOf(item);
    if (member !== null) join(member.tags, member.addresses);
  }
  return groups;
}

/** The same text: the same traffic. */
function trafficOf({ from, to, direction, protocol, ports }: RuleEntry): string {
  const side = (one: RuleSide) =>
    one.kind === 'host' ? { ...one, addresses: [...one.addresses].sort() } : one;
  return JSON.stringify([side(from), side(to), direction, protocol, ports]);
}
