// One rule as nftables text, for people: what a node that evaluates it does, whole, so that nft would take it. Nodes
// themselves keep rules as elements of sets, many in one lookup, with the same meaning (compile/firewall, and the
// agent's own text).
import { ruleMembersShownMax } from '@powernode/core/limits/overlay';
import { type Family, familyOf, widthOf, withoutLength } from '@powernode/core/net/address';
import { parsePrefix } from '@powernode/core/net/prefix';
import type { RuleEntry, RuleSide } from '@powernode/core/wire/document';

const headers = { 6: 'ip6', 4: 'ip' } as const satisfies Record<Family, string>;

interface TextFacts {
  readonly handle: string;
  readonly families: readonly Family[];
  /** The addresses of a group that the rule names. */
  readonly members: (group: string) => readonly string[];
}

export function ruleText(rule: RuleEntry, network: TextFacts): string {
  const sets = sides.flatMap((side) => groupSets(rule[side], { side, ...network }));
  const statements = statementsOf(rule, network.families);
  const directions = rule.direction === 'both' ? (['ingress', 'egress'] as const) : [rule.direction];
  const chains = directions.flatMap((direction) => [
    `\tchain pn_${direction === 'ingress' ? 'in' : 'out'}_${network.handle} {`,
    ...statements.map((statement) => `\t\t${statement} comment "${rule.rule_id}"`),
    '\t}',
  ]);
  return `${['table inet powernode {', ...sets, ...chains, '}'].join('\n')}\n`;
}

const sides = ['from', 'to'] as const;
type Side = (typeof sides)[number];

const setName = (side: Side, family: Family) => `pn_${side}_${family}`;

/** A set for each family, with those members that have room in a text. */
function groupSets(of: RuleSide, { side, families, members }: TextFacts & { readonly side: Side }): string[] {
  if (of.kind !== 'group') return [];
  return families.flatMap((family) => {
    const all = members(of.group).filter((address) => familyOf(address) === family);
    const shown = all.slice(0, ruleMembersShownMax);
    const more = all.length - shown.length;
    return [
      `\tset ${setName(side, family)} {`,
      `\t\ttype ipv${family}_addr`,
      `\t\tcomment "${of.group}${more === 0 ? '' : `, and ${more} more`}"`,
      ...(shown.length === 0 ? [] : [`\t\telements = { ${shown.join(', ')} }`]),
      '\t}',
    ];
  });
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
  const source = sideText(from, { side: 'from', family });
  const destination = sideText(to, { side: 'to', family });
  if (source === null || destination === null) return null;
  return [
    ...(source === '' ? [] : [`${headers[family]} saddr ${source}`]),
    ...(destination === '' ? [] : [`${headers[family]} daddr ${destination}`]),
  ].join(' ');
}

function sideText(
  of: RuleSide,
  { side, family }: { readonly side: Side; readonly family: Family },
): string | null {
  switch (of.kind) {
    case 'all':
      return '';
    case 'group':
      return `@${setName(side, family)}`;
    case 'host': {
      const own = of.addresses.filter((address) => familyOf(address) === family);
      return own.length === 0 ? null : own.length === 1 ? (own[0] ?? null) : `{ ${own.join(', ')} }`;
    }
    case 'cidr': {
      const prefix = parsePrefix(of.cidr);
      if (prefix?.family !== family) return null;
      return prefix.length === widthOf[family] ? withoutLength(of.cidr) : of.cidr;
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
