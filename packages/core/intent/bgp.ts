// Sessions of BGP, and the numbers that an account has for it.
import { z } from 'zod';
import { localPreferenceDefault } from '../limits/routing.ts';
import * as common from './common.ts';

/** RFC 4271 §8.2.2. */
export const bgpStates = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const;
export type BgpState = (typeof bgpStates)[number];

/** For private use (RFC 6996 §5). */
export const privateAsNumber = z.union([
  z.int().min(64_512).max(65_534),
  z.int().min(4_200_000_000).max(4_294_967_294),
]);
/** Of an account that has set none. */
export const asNumberDefault = 64_512;

/** `id` and the rest of what every object has are those of the account. */
export const accountBgp = z.object({
  ...common.base,
  as_number: z.int().meta({ description: 'Of all networks of the account with routing_mode ibgp' }),
  router_id_strategy: z.enum(['host_address']).meta({
    description: 'The router id of a peer is the low 32 bits of its host_address',
  }),
  default_local_pref: z
    .int()
    .meta({ description: `Local preference of a path that nothing sets: ${localPreferenceDefault}` }),
});
export type AccountBgp = z.infer<typeof accountBgp>;

export const refusedRoutes = z.object({
  ipv4: z.int().meta({ description: 'Announcements of IPv4 prefixes; one that is repeated counts again' }),
  ipv6: z.int().meta({ description: 'Announcements of IPv6 prefixes' }),
  since: common.time,
});

/** One end of a session: what the peer sees of it. */
export const bgpSession = z.object({
  id: common.id.meta({
    description: 'The same for this peer and neighbor as long as both are in the network',
  }),
  network_id: common.id,
  peer_id: common.id,
  hostname: z.string(),
  neighbor_id: common.id,
  neighbor_hostname: z.string(),
  state: z.enum(bgpStates),
  uptime: z.string().nullable().meta({ description: 'Such as 1d02h03m; null: not established' }),
  uptime_seconds: z.int().nullable().meta({ description: 'Until now; until observed_at when stale' }),
  prefixes_received: z.int(),
  last_error: z
    .string()
    .nullable()
    .meta({ description: 'Why it ended last or is not established, as the routing daemon says it' }),
  refused: refusedRoutes.nullable().default(null).meta({
    description:
      'What the neighbor announces without being allowed to, and this peer refuses; null: nothing, or not known',
  }),
  observed_at: common.time.nullable().meta({ description: 'null: the instance has not reported it yet' }),
  stale: z.boolean().default(false).meta({
    description: 'The instance is not connected: this is what it reported last, and may have changed',
  }),
  last_reset: z
    .object({
      requested_at: common.time,
      done_at: common.time.nullable().meta({ description: 'null: the instance has not done it yet' }),
    })
    .nullable()
    .default(null)
    .meta({ description: 'The last time that the skill had it cleared' }),
});
export type BgpSession = z.infer<typeof bgpSession>;

/** What a change, or a preview of one, does not do as it may be expected to. */
export const routingWarning = z.object({ code: z.string(), detail: z.string() });
export type RoutingWarning = z.infer<typeof routingWarning>;

const auditedStatement = z.object({
  type: z.enum(['route_policy']),
  id: common.id.nullable().meta({ description: 'null: a new policy that is only previewed' }),
  seq: z.int(),
  name: z.string(),
});
export const routePolicyFinding = z.object({
  kind: z.enum(['shadowed', 'contradictory', 'dead', 'duplicate']),
  severity: z.enum(['info', 'warning']),
  object: auditedStatement,
  by: auditedStatement
    .nullable()
    .meta({ description: 'The statement that shadows, contradicts or duplicates it' }),
  detail: z.string(),
});

export type RoutePolicyFinding = z.infer<typeof routePolicyFinding>;

const pathAttributes = z.object({
  local_pref: z.int(),
  med: z.int(),
  as_path: z.array(z.int()),
  origin: z.enum(['IGP', 'EGP', 'incomplete']),
  communities: z.array(z.string()),
  next_hop: z.string(),
});

/** What a peer would use for a prefix. */
export const explainedPath = z.object({
  via_peer_id: common.id.meta({ description: 'The peer in front of the prefix that announces this path' }),
  attributes: pathAttributes.nullable().meta({
    description:
      'After all policies; null: a policy denies the path, it does not arrive, or BGP does not decide',
  }),
  best: z.boolean(),
  because: z.string(),
  policies: z.array(
    z.object({
      route_policy_id: common.id,
      seq: z.int(),
      effect: z.string().meta({ description: 'Such as: permits and sets local_pref 200' }),
    }),
  ),
});
export type ExplainedPathShown = z.infer<typeof explainedPath>;

const seenRoute = z.object({
  via_peer_id: common.id.nullable().meta({ description: 'Of the best path; null: no path can be used' }),
  attributes: pathAttributes.nullable(),
  denied_peer_ids: z.array(common.id).meta({ description: 'Peers whose paths a policy denies' }),
});

/** What a policy would change in the routes that there are. */
export const routeChange = z.object({
  prefix: z.string(),
  peer_id: common.id.meta({ description: 'A peer that sees it so: peer_id of the call, if that does' }),
  peers_count: z.int().meta({ description: 'Peers that see the same change' }),
  before: seenRoute,
  after: seenRoute,
});
export type RouteChangeShown = z.infer<typeof routeChange>;

export const staticRoute = z.object({
  prefix: z.string(),
  via_peer_id: common.id,
  source: z.string().meta({
    description: 'declared_lan_subnet, pod_subnet, federation, or virtual_ip:<id> of a virtual IP',
  }),
  peer_ids: z.array(common.id).optional().meta({
    description: 'Only these peers use it, because they have no FRR; absent: all peers use it',
  }),
});
export type StaticRouteShown = z.infer<typeof staticRoute>;
export const bgpRoute = z.object({
  prefix: z.string(),
  source: z.string().meta({
    description:
      'peer:<id> of the best path, pod_subnet:<id> of its advertisement, or virtual_ip:<id> of an anycast address',
  }),
  holders: z.array(common.id).meta({ description: 'Peers that announce it' }),
  best: common.id.nullable().meta({
    description:
      'The peer that others use, as one that announces nothing itself sees it; null: no path is usable, or each uses its nearest holder',
  }),
  nearest_of: z.array(common.id).meta({
    description:
      'Holders of an anycast address that are as good: each peer uses the nearest; none: best says it',
  }),
});
