// What an audit says of the rules that it finds.
import type { FirewallFinding } from '../intent/firewall.ts';
import type { RuleEntry } from '../wire/document.ts';
import type { NameOf } from './trail.ts';

/** An object of the network; its name is looked up by whoever shows it. */
export interface Audited {
  readonly type: FirewallFinding['object']['type'];
  readonly id: string;
}

export interface Finding {
  readonly kind: FirewallFinding['kind'];
  readonly severity: FirewallFinding['severity'];
  readonly object: Audited;
  readonly by: Audited | null;
  readonly detail: (nameOf: NameOf) => string;
}

function about(rule: RuleEntry, by: RuleEntry): Pick<Finding, 'object' | 'by'> {
  return { object: ruleNamed(rule.rule_id), by: ruleNamed(by.rule_id) };
}

export function ruleNamed(id: string): Audited {
  return { type: 'firewall_rule', id };
}

export function repeated(rule: RuleEntry, same: RuleEntry): Finding {
  const { object, by } = about(rule, same);
  const detail = () =>
    rule.action === same.action
      ? 'It says the same as an older rule. Delete one of them.'
      : `It names the same packets as an older rule that denies them too, so it never decides. Delete one of them.`;
  return {
    kind: rule.action === same.action ? 'duplicate' : 'shadowed',
    severity: 'info',
    object,
    by,
    detail,
  };
}

export function contradicted(rule: RuleEntry, other: RuleEntry): Finding {
  const detail = () =>
    'Another rule denies exactly what it accepts, and the denial wins. Delete one of them.';
  return { kind: 'contradictory', severity: 'warning', ...about(rule, other), detail };
}

export function contradictedInPart(rule: RuleEntry, other: RuleEntry): Finding {
  const detail = () =>
    'A rule as specific as this one denies a part of what it accepts, and there the denial wins. If that is meant as an exception, nothing is wrong.';
  return { kind: 'contradictory', severity: 'info', ...about(rule, other), detail };
}

export function shadowed(rule: RuleEntry, decider: RuleEntry, others: number): Finding {
  const together = others === 0 ? '' : ` (together with ${others} more)`;
  const detail = () =>
    `Rules that go first decide about every packet that it names${together}, so it never decides. Delete it, or make its selector more specific.`;
  return { kind: 'shadowed', severity: 'warning', ...about(rule, decider), detail };
}

export function familiesApart(rule: RuleEntry): Finding {
  const detail = () =>
    'It matches nothing: no packet comes from an IPv6 address and goes to an IPv4 address, or the other way round.';
  return { kind: 'dead', severity: 'warning', object: ruleNamed(rule.rule_id), by: null, detail };
}
