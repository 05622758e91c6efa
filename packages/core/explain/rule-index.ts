// The firewall rules of one node, indexed so that the one that decides about a packet is found without reading all of
// them. It must agree with evaluate.ts, packet by packet.

import { compareRules } from '../compile/firewall/rule-order.ts';
import type { FirewallEntry, MemberEntry, RuleEntry, RuleSide } from '../wire/document.ts';
import type { RuleVerdict } from './evaluate.ts';
import { type ParsedAddress, PrefixMap } from './prefix-map.ts';
import { namesOfSide } from './sides.ts';

/** What a question says of its packets, apart from their addresses. */
export interface Traffic {
  /** egress: where a packet is sent; ingress: where it arrives. */
  readonly hook: 'egress' | 'ingress';
  /** icmp6: ICMP of either family. other: what only rules for every protocol match. */
  readonly protocol: 'tcp' | 'udp' | 'icmp6' | 'other';
  /** Where it goes; null: it has none (ICMP). */
  readonly port: number | null;
}

/** The groups that each address is in. */
export type GroupsOf = ReadonlyMap<string, readonly string[]>;

export function groupsOfAddresses(members: Iterable<MemberEntry>): GroupsOf {
  const groupsOf = new Map<string, string[]>();
  for (const { group, addresses } of members) {
    for (const address of addresses) {
      const groups = groupsOf.get(address);
      if (groups === undefined) groupsOf.set(address, [group]);
      else groups.push(group);
    }
  }
  return groupsOf;
}

interface RuleIndexParts {
  readonly rules: readonly RuleEntry[];
  readonly groupsOf: GroupsOf;
  readonly policy: FirewallEntry['default_policy'];
}

export class RuleIndex {
  readonly #parts: RuleIndexParts;
  readonly #byTraffic = new Map<string, TrafficRules>();

  constructor(parts: RuleIndexParts) {
    this.#parts = parts;
  }

  /** The rules that can match such packets. */
  rulesFor(traffic: Traffic): TrafficRules {
    const key = `${traffic.hook} ${traffic.protocol} ${traffic.port ?? ''}`;
    const known = this.#byTraffic.get(key);
    if (known !== undefined) return known;
    const { rules, groupsOf, policy } = this.#parts;
    const found = new TrafficRules({
      rules: rules.filter((rule) => matches(rule, traffic)),
      groupsOf,
      policy: traffic.hook === 'ingress' ? policy : 'accept',
    });
    this.#byTraffic.set(key, found);
    return found;
  }
}

/** Whether the rule can match such packets, whatever their addresses. */
function matches(rule: RuleEntry, { hook, protocol, port }: Traffic): boolean {
  if (rule.direction !== hook && rule.direction !== 'both') return false;
  if (rule.protocol !== 'any' && rule.protocol !== protocol) return false;
  if (rule.ports === null) return true;
  return port !== null && rule.ports[0] <= port && port <= rule.ports[1];
}

export class TrafficRules {
  readonly #groupsOf: GroupsOf;
  readonly #policy: 'accept' | 'drop';
  /** By the keys of both sides: the first of those rules, because the others never decide. */
  readonly #first = new Map<string, Map<string, RuleEntry>>();
  readonly #cidrs = new PrefixMap<string>();
  readonly #keys = new Map<string, readonly string[]>();

  constructor({ rules, groupsOf, policy }: RuleIndexParts) {
    this.#groupsOf = groupsOf;
    this.#policy = policy;
    for (const rule of rules) {
      for (const from of this.#keysOfSide(rule.from)) {
        for (const to of this.#keysOfSide(rule.to)) this.#put(rule, from, to);
      }
    }
  }

  evaluate(packet: { readonly source: ParsedAddress; readonly destination: ParsedAddress }): RuleVerdict {
    const to = this.#keysOf(packet.destination);
    let found: RuleEntry | null = null;
    for (const from of this.#keysOf(packet.source)) {
      const rules = this.#first.get(from);
      if (rules === undefined) continue;
      for (const key of to) {
        const rule = rules.get(key);
        if (rule !== undefined && (found === null || compareRules(rule, found) < 0)) found = rule;
      }
    }
    return { verdict: found?.action ?? this.#policy, rule: found };
  }

  #put(rule: RuleEntry, from: string, to: string): void {
    let rules = this.#first.get(from);
    if (rules === undefined) {
      rules = new Map();
      this.#first.set(from, rules);
    }
    const other = rules.get(to);
    if (other === undefined || compareRules(rule, other) < 0) rules.set(to, rule);
  }

  #keysOfSide(side: RuleSide): readonly string[] {
    if (side.kind === 'cidr') this.#cidrs.set(side.cidr, side.cidr);
    return namesOfSide(side);
  }

  /** The keys of all sides that contain the address. */
  #keysOf(address: ParsedAddress): readonly string[] {
    const known = this.#keys.get(address.text);
    if (known !== undefined) return known;
    const groups = (this.#groupsOf.get(address.text) ?? []).map((group) => `group ${group}`);
    const cidrs = Array.from(this.#cidrs.covering(address), (cidr) => `block ${cidr}`);
    const keys = [address.text, ...groups, ...cidrs, 'all'];
    this.#keys.set(address.text, keys);
    return keys;
  }
}
