// What a rule says, in words, and what an audit found about it. No elements here.
import type { FirewallFinding, FirewallRule } from '@powernode/core/intent/firewall';

export type Selector = FirewallRule['selector'];

const kindWords: Readonly<Record<Selector['kind'], string>> = {
  all: 'any',
  peer: 'peer',
  tag: 'tag',
  cidr: 'prefix',
  federation_peer: 'federation',
  user_device: 'device',
  virtual_ip: 'virtual IP',
};

/** `tag branch`, `peer edge1`, `any`. What is gone is called so by its label. */
export function selectorWords({ kind, label, resolves }: Selector): string {
  if (kind === 'all') return kindWords.all;
  if (resolves) return `${kindWords[kind]} ${label}`;
  return kind === 'tag' ? `tag ${label} (unused)` : label;
}

/** `any`, `tcp`, `tcp 8443-8480`. */
export function protocolWords(rule: Pick<FirewallRule, 'protocol' | 'port_range'>): string {
  return rule.port_range === null ? rule.protocol : `${rule.protocol} ${rule.port_range}`;
}

/** A rule without a name is called by what it does, as findings and explanations call it. */
export function ruleName(rule: FirewallRule): string {
  if (rule.name !== null && rule.name !== '') return rule.name;
  const what = rule.protocol === 'any' ? '' : ` ${protocolWords(rule)}`;
  return `${rule.action}${what} from ${rule.selector.label} to ${rule.destination.label}`;
}

const severities: readonly FirewallFinding['severity'][] = ['error', 'warning', 'info'];

/** The findings about each object, the worst first. */
export function findingsByObject(
  findings: readonly FirewallFinding[],
): ReadonlyMap<string, readonly FirewallFinding[]> {
  const found = new Map<string, FirewallFinding[]>();
  for (const severity of severities) {
    for (const finding of findings) {
      if (finding.severity !== severity) continue;
      const list = found.get(finding.object.id);
      if (list === undefined) found.set(finding.object.id, [finding]);
      else list.push(finding);
    }
  }
  return found;
}

/** What the audit says in one line: `2 errors, 1 warning`. */
export function auditWords(findings: readonly FirewallFinding[]): string {
  return severities
    .flatMap((severity) => {
      const n = findings.filter((finding) => finding.severity === severity).length;
      const noun = severity === 'info' ? 'remark' : severity;
      return n === 0 ? [] : [`${n} ${noun}${n === 1 ? '' : 's'}`];
    })
    .join(', ');
}
