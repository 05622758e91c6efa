// What is wrong in the networks of an account, with since when: sessions that are down or refuse something, hubs and
// holders of virtual IPs that do not answer, and what the periodic audit of route policies and firewall rules finds.
import { z } from 'zod';
import type { Permission } from './account.ts';
import * as common from './common.ts';

/** A finding of an audit: of which noun, and what. The same words as in the answers of the audits. */
export const auditFindingKinds = [
  'sdwan.route_policy_shadowed',
  'sdwan.route_policy_contradictory',
  'sdwan.route_policy_dead',
  'sdwan.route_policy_duplicate',
  'sdwan.firewall_rule_shadowed',
  'sdwan.firewall_rule_contradictory',
  'sdwan.firewall_rule_dead',
  'sdwan.firewall_rule_duplicate',
  'sdwan.firewall_rule_redundant',
  'sdwan.port_mapping_target_missing',
  'sdwan.virtual_ip_target_missing',
] as const;
export type AuditFindingKind = (typeof auditFindingKinds)[number];

/** What is wrong with a session, as its end reports it. */
export const sessionFindingKinds = ['sdwan.bgp_session_down', 'sdwan.bgp_routes_refused'] as const;
export type SessionFindingKind = (typeof sessionFindingKinds)[number];

/** What is wrong with machines that others need, as presence and fail-over know it (contract §7). */
export const liveFindingKinds = ['sdwan.hub_unreachable', 'sdwan.vip_holder_silent'] as const;
export type LiveFindingKind = (typeof liveFindingKinds)[number];

export type FindingKind = SessionFindingKind | LiveFindingKind | AuditFindingKind;

/** What one has to be allowed to see to read findings of a kind. */
export const findingPermissions: Readonly<Record<FindingKind, Permission>> = {
  'sdwan.bgp_session_down': 'system.sdwan.routing.read',
  'sdwan.bgp_routes_refused': 'system.sdwan.routing.read',
  'sdwan.hub_unreachable': 'system.sdwan.peers.read',
  'sdwan.vip_holder_silent': 'system.sdwan.virtual_ips.read',
  'sdwan.route_policy_shadowed': 'system.sdwan.routing.read',
  'sdwan.route_policy_contradictory': 'system.sdwan.routing.read',
  'sdwan.route_policy_dead': 'system.sdwan.routing.read',
  'sdwan.route_policy_duplicate': 'system.sdwan.routing.read',
  'sdwan.firewall_rule_shadowed': 'system.sdwan.firewall.read',
  'sdwan.firewall_rule_contradictory': 'system.sdwan.firewall.read',
  'sdwan.firewall_rule_dead': 'system.sdwan.firewall.read',
  'sdwan.firewall_rule_duplicate': 'system.sdwan.firewall.read',
  'sdwan.firewall_rule_redundant': 'system.sdwan.firewall.read',
  'sdwan.port_mapping_target_missing': 'system.sdwan.port_mappings.read',
  'sdwan.virtual_ip_target_missing': 'system.sdwan.virtual_ips.read',
};

export const foundObject = z.object({
  type: z.enum([
    'peer',
    'bgp_session',
    'route_policy',
    'firewall_rule',
    'port_mapping',
    'virtual_ip',
    'network',
  ]),
  id: common.id,
  name: z.string(),
  seq: z.int().optional().meta({ description: 'Of a route policy: the statement' }),
});
export type FoundObject = z.infer<typeof foundObject>;

export const finding = z.object({
  ...common.base,
  kind: z.enum([...sessionFindingKinds, ...liveFindingKinds, ...auditFindingKinds]),
  severity: z.enum(['info', 'warning', 'error']),
  network_id: common.id,
  object: foundObject,
  by: foundObject
    .nullable()
    .default(null)
    .meta({ description: 'The rule or statement that causes it; null: nothing else does' }),
  detail: z.string(),
  began_at: common.time,
  recovered_at: common.time.nullable().meta({ description: 'null: it still holds' }),
  skill: z.string().nullable().meta({ description: 'A skill that looks into it' }),
});
export type Finding = z.infer<typeof finding>;
export const findingKind = finding.shape.kind;
