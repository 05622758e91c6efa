// How one packet is judged by the rules of a node: the definition, as plainly as it can be written. What is compiled
// for the kernel (compile/firewall) and what is arranged for many questions (rulebook.ts) must agree with it.

import { compareRules } from '../compile/firewall/rule-order.ts';
import { type Address, parseAddress } from '../net/address.ts';
import { contains, parsePrefix } from '../net/prefix.ts';
import type { FirewallEntry, MemberEntry, RuleEntry, RuleSide } from '../wire/document.ts';

/** The first packet of a connection. Those that follow it, and answers to it, are not judged. */
export interface JudgedPacket {
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

export interface Law {
  readonly rules: readonly RuleEntry[];
  readonly members: readonly MemberEntry[];
  readonly defaultPolicy: FirewallEntry['default_policy'];
}

export interface Judgement {
  readonly verdict: 'accept' | 'drop' | 'reject';
  /** null: no rule names the packet, and the default decides: the policy on the way in, acceptance on the way out. */
  readonly rule: RuleEntry | null;
}

export function judge(packet: JudgedPacket, law: Law): Judgement {
  const [rule] = law.rules.filter((one) => names(one, packet, law.members)).sort(compareRules);
  if (rule !== undefined) return { verdict: rule.action, rule };
  return { verdict: packet.direction === 'ingress' ? law.defaultPolicy : 'accept', rule: null };
}

function names(rule: RuleEntry, packet: JudgedPacket, members: readonly MemberEntry[]): boolean {
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
