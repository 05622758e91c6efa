// What the rules of a node do with one packet: the definition, as plainly as it can be written. What is compiled for
// the kernel (compile/firewall) and the index for many packets (rule-index.ts) must agree with it.

import { compareRules } from '../compile/firewall/rule-order.ts';
import { type Address, parseAddress } from '../net/address.ts';
import { contains, parsePrefix } from '../net/prefix.ts';
import type { FirewallEntry, MemberEntry, RuleEntry, RuleSide } from '../wire/document.ts';

/** The first packet of a connection. Rules are not evaluated for later packets and replies. */
export interface EvaluatedPacket {
  /** ingress: where it arrives; egress: where it begins. */
  readonly direction: 'ingress' | 'egress';
  /** Canonical text, both of one family. */
  readonly source: string;
  readonly destination: string;
  /** icmp6: ICMP of either family. */
  readonly protocol: 'tcp' | 'udp' | 'icmp6';
  /** Where it goes; null: it has none (ICMP). */
  readonly port: number | null;
}

export interface NetworkRules {
  readonly rules: readonly RuleEntry[];
  readonly members: readonly MemberEntry[];
  readonly defaultPolicy: FirewallEntry['default_policy'];
}

export interface RuleVerdict {
  readonly verdict: 'accept' | 'drop' | 'reject';
  /** null: no rule matches the packet, and the default applies: the policy for ingress, acceptance for egress. */
  readonly rule: RuleEntry | null;
}

export function evaluate(packet: EvaluatedPacket, networkRules: NetworkRules): RuleVerdict {
  const [rule] = networkRules.rules
    .filter((one) => matches(one, packet, networkRules.members))
    .sort(compareRules);
  if (rule !== undefined) return { verdict: rule.action, rule };
  return { verdict: packet.direction === 'ingress' ? networkRules.defaultPolicy : 'accept', rule: null };
}

function matches(rule: RuleEntry, packet: EvaluatedPacket, members: readonly MemberEntry[]): boolean {
  if (rule.direction !== 'both' && rule.direction !== packet.direction) return false;
  if (rule.protocol !== 'any' && rule.protocol !== packet.protocol) return false;
  if (rule.ports !== null) {
    const [first, last] = rule.ports;
    if (packet.port === null || packet.port < first || packet.port > last) return false;
  }
  return isOn(rule.from, packet.source, members) && isOn(rule.to, packet.destination, members);
}

function isOn(side: RuleSide, address: string, members: readonly MemberEntry[]): boolean {
  switch (side.kind) {
    case 'all':
      return true;
    case 'host':
      return side.addresses.includes(address);
    case 'group':
      return members.some((one) => one.group === side.group && one.addresses.includes(address));
    case 'cidr': {
      const prefix = parsePrefix(side.cidr);
      return prefix !== null && contains(prefix, parsed(address));
    }
  }
}

function parsed(text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
}
