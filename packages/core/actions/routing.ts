// Route policies, the AS number of the account, BGP sessions and routes: contract §4.
import { z } from 'zod';
import {
  accountBgp,
  bgpRoute,
  bgpSession,
  bgpStates,
  explainedPath,
  privateAsNumber,
  routeChange,
  routePolicyFinding,
  routingWarning,
  staticRoute,
} from '../intent/bgp.ts';
import * as common from '../intent/common.ts';
import { routingMode } from '../intent/network.ts';
import { policyDirection, policyStatements, routePolicy } from '../intent/route-policy.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'routing' as const;
const path = '/sdwan/route_policies';
const peers = '/sdwan/peers/{peer_id}';
const networks = '/sdwan/networks/{network_id}';
const noun = 'route-policy';

const warnings = z.array(routingWarning).meta({ description: 'What the policy does not do today, and why' });
const warningColumns = { warnings: ['code', 'detail'] } as const;

export const routingActions = {
  createRoutePolicy: mutate({
    area,
    name: 'system_sdwan_create_route_policy',
    title: 'Create a route policy',
    description:
      'Import policies act on what each peer receives, export policies on what a peer announces itself. All policies of a direction are one sequence in the order of their creation; the first statement that matches decides, and what none matches is permitted. They act in networks with routing_mode ibgp.',
    input: {
      network_id: common.id,
      name: common.name,
      direction: policyDirection,
      statements: policyStatements,
    },
    output: { route_policy: routePolicy, warnings },
    columns: warningColumns,
    permission: 'system.sdwan.routing.manage',
    category: 'sdwan.route_policy_create',
    kind: 'create',
    needsPerson: 'always',
    route: { method: 'POST', path },
    cli: { noun, verb: 'create' },
  }),
  listRoutePolicies: read({
    area,
    name: 'system_sdwan_list_route_policies',
    title: 'List route policies',
    description: 'Policies with their statements, in the order in which they act.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      direction: policyDirection.optional(),
      name: common.line(100).optional().meta({ description: 'Exactly this name' }),
    },
    output: { route_policies: z.array(routePolicy), ...pageOutput },
    columns: { route_policies: ['id', 'name', 'direction', 'created_at', 'network_id'] },
    permission: 'system.sdwan.routing.read',
    route: { method: 'GET', path },
    cli: { noun, verb: 'list' },
  }),
  getRoutePolicy: read({
    area,
    name: 'system_sdwan_get_route_policy',
    title: 'Get a route policy',
    description: 'One policy with its statements.',
    input: { route_policy_id: common.id },
    output: { route_policy: routePolicy },
    permission: 'system.sdwan.routing.read',
    subject: 'route_policy_id',
    route: { method: 'GET', path: `${path}/{route_policy_id}` },
    cli: { noun, verb: 'get' },
  }),
  updateRoutePolicy: mutate({
    area,
    name: 'system_sdwan_update_route_policy',
    title: 'Change a route policy',
    description:
      'Changes the given fields; statements replace all that there are. No BGP session is reset: paths are evaluated again.',
    input: {
      route_policy_id: common.id,
      name: common.name.optional(),
      direction: policyDirection.optional(),
      statements: policyStatements.optional(),
    },
    output: { route_policy: routePolicy, warnings },
    columns: warningColumns,
    permission: 'system.sdwan.routing.manage',
    category: 'sdwan.route_policy_update',
    kind: 'update',
    needsPerson: { route_policy_id: 'free', name: 'free', direction: 'given', statements: 'given' },
    subject: 'route_policy_id',
    route: { method: 'PATCH', path: `${path}/{route_policy_id}` },
    cli: { noun, verb: 'update' },
  }),
  deleteRoutePolicy: mutate({
    area,
    name: 'system_sdwan_delete_route_policy',
    title: 'Delete a route policy',
    description: 'Removes the policy from every peer of its network.',
    input: { route_policy_id: common.id },
    output: { route_policy: routePolicy },
    permission: 'system.sdwan.routing.manage',
    category: 'sdwan.route_policy_delete',
    kind: 'destroy',
    revised: true,
    subject: 'route_policy_id',
    route: { method: 'DELETE', path: `${path}/{route_policy_id}` },
    cli: { noun, verb: 'delete' },
  }),
  compileRoutePolicy: read({
    area,
    name: 'system_sdwan_compile_route_policy',
    title: 'Compile route policies',
    description:
      'The text of the routing daemon for the route policies of a peer. With direction and statements it is a preview, which saves nothing: of a new policy, or of other statements of route_policy_id, with the routes that would change and what an audit would find.',
    input: {
      peer_id: common.id,
      route_policy_id: common.id.optional().meta({ description: 'The policy that the preview changes' }),
      direction: policyDirection.optional(),
      statements: policyStatements.optional(),
    },
    output: {
      peer_id: common.id,
      text: z.string(),
      warnings,
      findings: z
        .array(routePolicyFinding)
        .default([])
        .meta({ description: 'Of an audit, about statements of the preview or because of them' }),
      effect: z
        .array(routeChange)
        .default([])
        .meta({ description: 'Routes that would change, by what is announced and reached now' }),
      effect_complete: z
        .boolean()
        .default(true)
        .meta({ description: 'false: of a large network not all routes were looked at' }),
    },
    columns: {
      ...warningColumns,
      findings: ['kind', 'severity', 'object.seq', 'detail'],
      effect: ['prefix', 'peers_count', 'before.via_peer_id', 'after.via_peer_id', 'peer_id'],
    },
    permission: 'system.sdwan.routing.read',
    subject: 'peer_id',
    route: { method: 'POST', path: `${peers}/compile_route_policy` },
    cli: { noun, verb: 'compile' },
  }),
  auditRoutePolicies: read({
    area,
    name: 'system_sdwan_audit_route_policies',
    title: 'Audit route policies',
    description:
      'Shadowed, contradictory, dead and duplicate statements of a network, each with the statement that causes it.',
    input: { network_id: common.id },
    output: {
      findings: z.array(routePolicyFinding),
      count: z.int().meta({ description: 'Number of all findings' }),
      truncated: z.boolean().meta({ description: 'Whether the list omits some findings' }),
      statements_count: z.int(),
    },
    columns: { findings: ['kind', 'severity', 'object.name', 'object.seq', 'detail'] },
    permission: 'system.sdwan.routing.read',
    subject: 'network_id',
    route: { method: 'GET', path: `${networks}/audit_route_policies` },
    alsoAt: [{ method: 'POST', path: `${networks}/audit_route_policies` }],
    cli: { noun: 'network', verb: 'audit-route-policies' },
  }),
  getAccountBgp: read({
    area,
    name: 'system_sdwan_get_account_bgp',
    title: 'Get the BGP settings of the account',
    description: 'The AS number of the account, and how router ids and local preferences are chosen.',
    input: {},
    output: { account_bgp: accountBgp },
    permission: 'system.sdwan.routing.read',
    route: { method: 'GET', path: '/sdwan/account_bgp' },
    cli: { noun: 'bgp', verb: 'get' },
  }),
  updateAccountAsNumber: mutate({
    area,
    name: 'system_sdwan_update_account_as_number',
    title: 'Change the AS number of the account',
    description:
      'All networks with routing_mode ibgp use it. Their BGP sessions end and are established again with the new number; the plan lists how many.',
    input: {
      as_number: privateAsNumber.meta({
        description: 'A private number: 64512 to 65534, or 4200000000 to 4294967294',
      }),
    },
    output: { account_bgp: accountBgp },
    permission: 'system.sdwan.routing.manage',
    category: 'sdwan.account_bgp_update',
    kind: 'update',
    needsPerson: 'always',
    route: { method: 'PATCH', path: '/sdwan/account_bgp' },
    cli: { noun: 'bgp', verb: 'update-as-number' },
  }),
  getBgpSessions: read({
    area,
    name: 'system_sdwan_get_bgp_sessions',
    title: 'List BGP sessions',
    description:
      'Each session as each of its two ends sees it. One that no instance has reported yet is Idle without last_error.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      peer_id: common.id.optional(),
      state: z.enum(bgpStates).optional(),
    },
    output: { sessions: z.array(bgpSession), ...pageOutput },
    columns: {
      sessions: ['hostname', 'neighbor_hostname', 'state', 'uptime', 'prefixes_received', 'last_error', 'id'],
    },
    permission: 'system.sdwan.routing.read',
    route: { method: 'GET', path: '/sdwan/bgp_sessions' },
    cli: { noun: 'bgp-session', verb: 'list' },
  }),
  getBgpSession: read({
    area,
    name: 'system_sdwan_get_bgp_session',
    title: 'Get a BGP session',
    description: 'One session as one of its two ends sees it.',
    input: { bgp_session_id: common.id },
    output: { session: bgpSession },
    permission: 'system.sdwan.routing.read',
    subject: 'bgp_session_id',
    route: { method: 'GET', path: '/sdwan/bgp_sessions/{bgp_session_id}' },
    cli: { noun: 'bgp-session', verb: 'get' },
  }),
  getBgpConfigForPeer: read({
    area,
    name: 'system_sdwan_get_bgp_config_for_peer',
    title: 'Get the BGP configuration of a peer',
    description:
      'The configuration of the routing daemon that the instance is given for this network; empty when routing_mode is static.',
    input: { peer_id: common.id },
    output: { peer_id: common.id, config: z.string() },
    permission: 'system.sdwan.routing.read',
    subject: 'peer_id',
    route: { method: 'GET', path: `${peers}/bgp_config` },
    cli: { noun: 'bgp', verb: 'config' },
  }),
  getRoutingSummary: read({
    area,
    name: 'system_sdwan_get_routing_summary',
    title: 'Get the routes of a network',
    description:
      'Prefixes behind peers and virtual IPs, and the peer that each is routed to: as static routes, or as BGP chooses them. A virtual IP that one peer holds at a time is a static route in both routing modes.',
    input: { network_id: common.id },
    output: {
      routing_mode: routingMode,
      as_number: z.int(),
      static_routes: z.array(staticRoute),
      bgp_routes: z.array(bgpRoute),
    },
    columns: { static_routes: ['prefix', 'source', 'via_peer_id'], bgp_routes: ['prefix', 'source', 'best'] },
    permission: 'system.sdwan.routing.read',
    subject: 'network_id',
    route: { method: 'GET', path: `${networks}/routing_summary` },
    cli: { noun: 'network', verb: 'routes' },
  }),
  explainRoute: read({
    area,
    name: 'system_sdwan_explain_route',
    title: 'Explain a route',
    description:
      'The paths of a peer to a prefix: what each statement of a route policy did to them, which one is best, and why.',
    input: { peer_id: common.id, prefix: common.prefix },
    output: { paths: z.array(explainedPath) },
    columns: { paths: ['via_peer_id', 'best', 'because'] },
    permission: 'system.sdwan.routing.read',
    subject: 'peer_id',
    route: { method: 'GET', path: `${peers}/explain_route` },
    alsoAt: [{ method: 'POST', path: `${peers}/explain_route` }],
    cli: { noun: 'bgp', verb: 'explain' },
  }),
} as const;
