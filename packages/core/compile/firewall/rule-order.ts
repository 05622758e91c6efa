// The order of firewall rules: the first that names a packet decides. The more specific selector (where packets come
// from) goes first, then the narrower protocol and ports, then the drop, then the reject, then the older, which has the
// lower id. Each of these follows from the rule alone, so the order is total whatever rules meet.
import type { RuleEntry, RuleSide } from '../../wire/document.ts';

type Ordered = Pick<RuleEntry, 'rule_id' | 'action' | 'from' | 'protocol' | 'ports'>;

/**
 * Whatever refuses goes before what accepts. Of the two ways to refuse the silent one wins, so that the place of a rule
 * follows from the rule alone and nodes need not sort a network's rules anew for each of them.
 */
export const actionRank = { drop: 0, reject: 1, accept: 2 } as const satisfies Record<
  RuleEntry['action'],
  number
>;

/** Negative: the first one decides about packets that both name. */
export function compareRules(a: Ordered, b: Ordered): number {
  return (
    rankOf(a.from) - rankOf(b.from) ||
    breadthOf(a) - breadthOf(b) ||
    actionRank[a.action] - actionRank[b.action] ||
    (a.rule_id < b.rule_id ? -1 : a.rule_id > b.rule_id ? 1 : 0)
  );
}

const portsOfProtocol = 65_536;
/** The breadth of a rule for every protocol (256 protocol numbers) and every port. */
export const breadthOfEverything = 256 * portsOfProtocol;

/** How many pairs of protocol and port the rule names; lower is narrower. ICMP counts as one whole protocol. */
export function breadthOf({ protocol, ports }: Pick<RuleEntry, 'protocol' | 'ports'>): number {
  if (ports === null) return protocol === 'any' ? breadthOfEverything : portsOfProtocol;
  // Ports without a protocol are those of TCP and of UDP.
  return (ports[1] - ports[0] + 1) * (protocol === 'any' ? 2 : 1);
}

/** Lower is more specific: a host, a group, a prefix by its length, everybody. */
export function rankOf(side: RuleSide): number {
  switch (side.kind) {
    case 'host':
      return 0;
    case 'group':
      return 1;
    case 'cidr':
      return 200 - Number(side.cidr.slice(side.cidr.indexOf('/') + 1));
    case 'all':
      return 1000;
  }
}
