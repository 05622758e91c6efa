// The order of firewall rules: the first that names a packet decides. The more specific selector (where packets come
// from) goes first; between equals the drop, then the reject; then the older, which has the lower id.
import type { RuleEntry, RuleSide } from '../wire/document.ts';

type Ordered = Pick<RuleEntry, 'rule_id' | 'action' | 'from'>;

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
    actionRank[a.action] - actionRank[b.action] ||
    (a.rule_id < b.rule_id ? -1 : a.rule_id > b.rule_id ? 1 : 0)
  );
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
