// Shapes, colours and words of what a network serves: virtual IPs, rules, port mappings, devices, verdicts. The statuses of
// machines and changes are in statuses.tsx.
import type { FirewallFinding, FirewallRule } from '@powernode/core/intent/firewall';
import type { Peer } from '@powernode/core/intent/peer';
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import type { verdict } from '@powernode/core/intent/reachability';
import type { UserDevice } from '@powernode/core/intent/user-device';
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { Status, type StatusProps } from './status.tsx';

type Look = Omit<StatusProps, 'chip'>;
export type Verdict = (typeof verdict)['_output'];

export const virtualIpLooks: Readonly<Record<VirtualIp['state'], Look>> = {
  pending: { tone: 'wait', shape: 'dotted', text: 'pending', hint: 'No holder yet' },
  active: { tone: 'ok', shape: 'full', text: 'active', hint: 'Its holder answers for it' },
  failing_over: {
    tone: 'info',
    shape: 'half',
    text: 'failing over',
    hint: 'Released by one holder, not yet taken by the next',
    moving: true,
  },
  unassigned: { tone: 'bad', shape: 'square', text: 'unassigned', hint: 'No candidate can hold it' },
  error: {
    tone: 'bad',
    shape: 'triangle',
    text: 'error',
    hint: 'Its holder is gone; replacing it needs a decision, or a report from the holder',
  },
};

export const ruleActionLooks: Readonly<Record<FirewallRule['action'], Look>> = {
  accept: { tone: 'ok', shape: 'tick', text: 'accept' },
  drop: { tone: 'bad', shape: 'cross', text: 'drop', hint: 'Without a reply' },
  reject: { tone: 'bad', shape: 'square', text: 'reject', hint: 'The client is notified' },
};

/** How a pair of the matrix stands. unreachable: allowed, and a machine on the way is not reached now. */
export type PairState = Verdict | 'unreachable';

export const pairLooks: Readonly<Record<PairState, Look>> = {
  allowed: { tone: 'ok', shape: 'full', text: 'allowed' },
  denied: { tone: 'bad', shape: 'cross', text: 'denied' },
  no_route: { tone: 'idle', shape: 'ring', text: 'no route' },
  unreachable: {
    tone: 'wait',
    shape: 'triangle',
    text: 'unreachable',
    hint: 'Allowed by rules and routes, but an instance on the path is unreachable',
  },
};

export const mappingLooks: Readonly<Record<PortMapping['status'], Look>> = {
  active: { tone: 'ok', shape: 'full', text: 'active' },
  target_missing: {
    tone: 'bad',
    shape: 'triangle',
    text: 'target missing',
    hint: 'Its target was deleted',
  },
  hub_missing: { tone: 'bad', shape: 'cross', text: 'hub missing', hint: 'No hub has its external address' },
};

export const deviceLooks: Readonly<Record<UserDevice['status'], Look>> = {
  active: { tone: 'ok', shape: 'full', text: 'active' },
  stale: {
    tone: 'wait',
    shape: 'diamond',
    text: 'out of date',
    hint: 'The network has changed since its configuration was created: reissue it',
  },
  revoked: { tone: 'idle', shape: 'cross', text: 'revoked' },
};

export const directPathLooks: Readonly<Record<Peer['direct_path']['state'], Look>> = {
  possible: { tone: 'ok', shape: 'full', text: 'possible' },
  not_needed: { tone: 'idle', shape: 'diamond', text: 'not needed' },
  unknown: { tone: 'wait', shape: 'dotted', text: 'unknown' },
  symmetric_nat: { tone: 'relay', shape: 'ring', text: 'symmetric NAT' },
  switched_off: { tone: 'idle', shape: 'square', text: 'disabled' },
  limit: { tone: 'wait', shape: 'diamond', text: 'limit reached' },
};

const findingWords: Readonly<Record<FirewallFinding['kind'], string>> = {
  shadowed: 'shadowed',
  redundant: 'redundant',
  contradictory: 'contradictory',
  dead: 'dead',
  duplicate: 'duplicate',
  target_missing: 'target missing',
};
const severityLooks: Readonly<Record<FirewallFinding['severity'], Pick<Look, 'tone' | 'shape'>>> = {
  info: { tone: 'idle', shape: 'ring' },
  warning: { tone: 'wait', shape: 'diamond' },
  error: { tone: 'bad', shape: 'triangle' },
};

export function FindingMark({
  finding,
}: {
  readonly finding: Pick<FirewallFinding, 'kind' | 'severity' | 'detail'>;
}) {
  return (
    <Status {...severityLooks[finding.severity]} text={findingWords[finding.kind]} hint={finding.detail} />
  );
}

/** A rule that is switched off evaluates nothing, whatever its action. */
export function RuleActionMark({ rule }: { readonly rule: Pick<FirewallRule, 'action' | 'enabled'> }) {
  const look = ruleActionLooks[rule.action];
  if (rule.enabled) return <Status {...look} />;
  return (
    <Status tone="idle" shape="ring" text={`${look.text} (disabled)`} hint="Disabled: it has no effect" />
  );
}
