// Firewall rules, their audit, and why one side reaches another: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import {
  destination,
  firewallFinding,
  firewallRule,
  firewallRuleCompiled,
  portRange,
  ruleAction,
  ruleDirection,
  ruleProtocol,
  selector,
} from '../intent/firewall.ts';
import {
  reachabilityDestination,
  reachabilityMatrix,
  reachabilityProtocol,
  reachabilitySource,
  reachabilityStep,
  verdict,
} from '../intent/reachability.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'firewall' as const;
const path = '/sdwan/firewall_rules';
const noun = 'firewall-rule';

export const firewallActions = {
  createFirewallRule: mutate({
    area,
    name: 'system_sdwan_create_firewall_rule',
    title: 'Create a firewall rule',
    description:
      'Ingress rules are evaluated on the instance where packets arrive, egress rules where they originate. The more specific selector wins: peer, user device and federation peer, then tag, then cidr (longer first), then all; between rules with the same selector the narrower protocol and port decides first; between equals the drop wins, then the reject, then the older. Incoming packets that no rule matches get the network’s default policy.',
    input: {
      network_id: common.id,
      name: common.name.nullable().optional(),
      direction: ruleDirection,
      action: ruleAction,
      selector,
      destination: destination.nullable().optional(),
      protocol: ruleProtocol.default('any'),
      port_range: portRange
        .nullable()
        .optional()
        .meta({ description: '"8443" or "8443-8480"; tcp and udp only' }),
      enabled: z.boolean().default(true),
    },
    output: { firewall_rule: firewallRule },
    permission: 'system.sdwan.firewall.manage',
    category: 'sdwan.firewall_rule_create',
    kind: 'create',
    needsPerson: {
      network_id: 'free',
      name: 'free',
      direction: 'free',
      action: ['accept'],
      selector: 'free',
      destination: 'free',
      protocol: 'free',
      port_range: 'free',
      enabled: 'free',
    },
    route: { method: 'POST', path },
    cli: { noun, verb: 'create' },
  }),
  listFirewallRules: read({
    area,
    name: 'system_sdwan_list_firewall_rules',
    title: 'List firewall rules',
    description: 'Rules with their counters, oldest first.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      direction: ruleDirection.optional(),
      action: ruleAction.optional(),
      enabled: z.boolean().optional(),
    },
    output: { firewall_rules: z.array(firewallRule), ...pageOutput },
    permission: 'system.sdwan.firewall.read',
    route: { method: 'GET', path },
    cli: { noun, verb: 'list' },
  }),
  getFirewallRule: read({
    area,
    name: 'system_sdwan_get_firewall_rule',
    title: 'Get a firewall rule',
    description: 'One rule, with its compiled nftables text and the instances that evaluate it.',
    input: { firewall_rule_id: common.id },
    output: { firewall_rule: firewallRuleCompiled },
    permission: 'system.sdwan.firewall.read',
    subject: 'firewall_rule_id',
    route: { method: 'GET', path: `${path}/{firewall_rule_id}` },
    cli: { noun, verb: 'get' },
  }),
  updateFirewallRule: mutate({
    area,
    name: 'system_sdwan_update_firewall_rule',
    title: 'Change a firewall rule',
    description: 'Changes the given fields. Open connections that the rules still allow continue.',
    input: {
      firewall_rule_id: common.id,
      name: common.name.nullable().optional(),
      direction: ruleDirection.optional(),
      action: ruleAction.optional(),
      selector: selector.optional(),
      destination: destination.nullable().optional(),
      protocol: ruleProtocol.optional(),
      port_range: portRange.nullable().optional(),
      enabled: z.boolean().optional(),
    },
    output: { firewall_rule: firewallRule },
    permission: 'system.sdwan.firewall.manage',
    category: 'sdwan.firewall_rule_update',
    kind: 'update',
    needsPerson: {
      firewall_rule_id: 'free',
      name: 'free',
      direction: 'given',
      action: 'given',
      selector: 'given',
      destination: 'given',
      protocol: 'given',
      port_range: 'given',
      enabled: 'given',
    },
    subject: 'firewall_rule_id',
    route: { method: 'PATCH', path: `${path}/{firewall_rule_id}` },
    cli: { noun, verb: 'update' },
  }),
  deleteFirewallRule: mutate({
    area,
    name: 'system_sdwan_delete_firewall_rule',
    title: 'Delete a firewall rule',
    description: 'Removes the rule from every instance that has it.',
    input: { firewall_rule_id: common.id },
    output: { firewall_rule: firewallRule },
    permission: 'system.sdwan.firewall.manage',
    category: 'sdwan.firewall_rule_delete',
    kind: 'destroy',
    revised: true,
    subject: 'firewall_rule_id',
    route: { method: 'DELETE', path: `${path}/{firewall_rule_id}` },
    cli: { noun, verb: 'delete' },
  }),
  auditFirewall: read({
    area,
    name: 'system_sdwan_audit_firewall',
    title: 'Audit the firewall',
    description:
      'Shadowed, contradictory, dead, duplicate and redundant rules of a network, each with the rule that causes it; and port mappings whose target was deleted.',
    input: { network_id: common.id },
    output: {
      findings: z.array(firewallFinding),
      count: z.int().meta({ description: 'Number of all findings' }),
      truncated: z
        .boolean()
        .meta({ description: 'Whether the list omits some findings, the least severe ones' }),
      rules_count: z.int(),
    },
    permission: 'system.sdwan.firewall.read',
    subject: 'network_id',
    route: { method: 'GET', path: '/sdwan/networks/{network_id}/audit_firewall' },
    alsoAt: [{ method: 'POST', path: '/sdwan/networks/{network_id}/audit_firewall' }],
    cli: { noun: 'network', verb: 'audit-firewall' },
  }),
  explainReachability: read({
    area,
    name: 'system_sdwan_explain_reachability',
    title: 'Explain reachability',
    description:
      'Follows a packet from source to destination through addresses, routes, paths, rules and port mappings, and names each object that decides.',
    input: {
      network_id: common.id,
      source: reachabilitySource,
      destination: reachabilityDestination,
      protocol: reachabilityProtocol,
      port: z.int().min(1).max(65535).optional(),
    },
    output: { verdict, because: z.array(reachabilityStep) },
    permission: 'system.sdwan.firewall.read',
    subject: 'network_id',
    route: { method: 'POST', path: '/sdwan/networks/{network_id}/explain_reachability' },
    cli: { noun: 'network', verb: 'explain' },
  }),
  getReachabilityMatrix: read({
    area,
    name: 'system_sdwan_get_reachability_matrix',
    title: 'Who can reach what',
    description:
      'For one protocol and port: which peers and devices reach each other, as in explain_reachability.',
    input: {
      network_id: common.id,
      protocol: reachabilityProtocol.default('icmp6'),
      port: z.coerce.number().int().min(1).max(65535).optional(),
    },
    output: { matrix: reachabilityMatrix },
    permission: 'system.sdwan.firewall.read',
    subject: 'network_id',
    route: { method: 'GET', path: '/sdwan/networks/{network_id}/reachability_matrix' },
    cli: { noun: 'network', verb: 'matrix' },
  }),
} as const;
