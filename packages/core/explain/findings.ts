// What an audit says of the rules that it finds.
import type { FirewallFinding } from '../intent/firewall.ts';
import type { RuleEntry } from '../wire/document.ts';
import type { NameOf } from './trace.ts';

/** An object of the network; its name is looked up when a finding is shown. */
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
      ? 'It duplicates an older rule. Delete one of them.'
      : `It matches the same packets as an older rule that also denies them, so it has no effect. Delete one of them.`;
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
    'An equally specific rule denies part of what this rule accepts, and there the denial wins. This is fine if it is meant as an exception.';
  return { kind: 'contradictory', severity: 'info', ...about(rule, other), detail };
}

export function shadowed(rule: RuleEntry, decider: RuleEntry, others: number): Finding {
  const together = others === 0 ? '' : ` (together with ${others} more)`;
  const detail = () =>
    `Rules with higher precedence decide every packet that it matches${together}, so it has no effect. Delete it, or make its selector more specific.`;
  return { kind: 'shadowed', severity: 'warning', ...about(rule, decider), detail };
}

export function redundant(rule: RuleEntry, broader: RuleEntry): Finding {
  const detail = () =>
    'A broader rule with the same selector already has the same effect on every packet that it matches. Delete it, unless you plan to delete the broader one.';
  return { kind: 'redundant', severity: 'info', ...about(rule, broader), detail };
}

export function familiesApart(rule: RuleEntry): Finding {
  const detail = () =>
    'It matches nothing: no packet comes from an IPv6 address and goes to an IPv4 address, or vice versa.';
  return { kind: 'dead', severity: 'warning', object: ruleNamed(rule.rule_id), by: null, detail };
}
