// One rule as nftables text, for people: what a node that judges it does. Nodes themselves keep rules as elements of
// sets, many in one lookup, with the same meaning (compile/firewall, and the agent's own text).
import { type Family, widthOf } from '@powernode/core/net/address';
import { parsePrefix } from '@powernode/core/net/prefix';
import type { RuleEntry, RuleSide } from '@powernode/core/wire/document';

const headers = { 6: 'ip6', 4: 'ip' } as const satisfies Record<Family, string>;

export function ruleText(
  rule: RuleEntry,
  network: { readonly handle: string; readonly families: readonly Family[] },
) {
  const statements = statementsOf(rule, network.families);
  const directions = rule.direction === 'both' ? (['ingress', 'egress'] as const) : [rule.direction];
  const chains = directions.flatMap((direction) => [
    `\tchain pn_${direction === 'ingress' ? 'in' : 'out'}_${network.handle} {`,
    ...statements.map((statement) => `\t\t${statement} comment "${rule.rule_id}"`),
    '\t}',
  ]);
  return `${['table inet powernode {', ...chains, '}'].join('\n')}\n`;
}

function statementsOf(rule: RuleEntry, families: readonly Family[]): string[] {
  const isOfEither = rule.from.kind === 'all' && rule.to.kind === 'all';
  const asked = isOfEither ? [null] : families;
  return asked.flatMap((family) => {
    const sides = family === null ? '' : sidesText(rule, family);
    if (sides === null) return [];
    return trafficTexts(rule, family).map(({ match, verdict }) =>
      [sides, match, 'counter', verdict].filter((part) => part !== '').join(' '),
    );
  });
}

/** null: the rule is not about the family. */
function sidesText({ from, to }: RuleEntry, family: Family): string | null {
  const source = sideText(from, family);
  const destination = sideText(to, family);
  if (source === null || destination === null) return null;
  return [
    ...(source === '' ? [] : [`${headers[family]} saddr ${source}`]),
    ...(destination === '' ? [] : [`${headers[family]} daddr ${destination}`]),
  ].join(' ');
}

function sideText(side: RuleSide, family: Family): string | null {
  switch (side.kind) {
    case 'all':
      return '';
    case 'group':
      return `@pn_tag_${side.group.replaceAll(/[^A-Za-z0-9]/g, '_')}_${family}`;
    case 'host': {
      const own = side.addresses.filter((address) => address.includes(':') === (family === 6));
      return own.length === 0 ? null : own.length === 1 ? (own[0] ?? null) : `{ ${own.join(', ')} }`;
    }
    case 'cidr': {
      const prefix = parsePrefix(side.cidr);
      if (prefix?.family !== family) return null;
      return prefix.length === widthOf[family] ? side.cidr.slice(0, side.cidr.indexOf('/')) : side.cidr;
    }
  }
}

interface TrafficText {
  readonly match: string;
  readonly verdict: string;
}

const resetText = 'reject with tcp reset';
const refusalText = 'reject with icmpx admin-prohibited';

function trafficTexts({ protocol, ports, action }: RuleEntry, family: Family | null): TrafficText[] {
  const refused = action === 'reject' ? refusalText : action;
  switch (protocol) {
    case 'any':
      if (action !== 'reject') return [{ match: '', verdict: action }];
      return [
        { match: 'meta l4proto tcp', verdict: resetText },
        { match: '', verdict: refusalText },
      ];
    case 'icmp6':
      return [{ match: `meta l4proto ${icmpOf(family)}`, verdict: refused }];
    case 'tcp':
    case 'udp': {
      const match = ports === null ? `meta l4proto ${protocol}` : `${protocol} dport ${rangeText(ports)}`;
      return [{ match, verdict: protocol === 'tcp' && action === 'reject' ? resetText : refused }];
    }
  }
}

function icmpOf(family: Family | null): string {
  if (family === null) return '{ icmp, ipv6-icmp }';
  return family === 6 ? 'ipv6-icmp' : 'icmp';
}

function rangeText([first, last]: readonly [number, number]): string {
  return first === last ? String(first) : `${first}-${last}`;
}
