// A peer: one instance's place in one network, with its address, its key and what is observed of it.
import { z } from 'zod';
import { unreachableCodes } from '../presence/evaluate-peer.ts';
import * as common from './common.ts';
import { lanSubnetShown, podSubnetSource } from './subnet.ts';

/** handshake_pending: the node has not applied it yet; handshaking: applied, no handshake yet;
 * connected: a handshake within 5 min; silent: none for longer. */
export const peerStatus = z.enum(['handshake_pending', 'handshaking', 'connected', 'silent']);
export type PeerStatus = z.infer<typeof peerStatus>;

/**
 * Whether probes, streams and kernels say now that its overlay reaches it; null: not known. Where that rests on
 * silence, it is since when nothing was heard.
 */
export const presence = {
  reachable: z.boolean().nullable().meta({
    description: 'Whether the overlay reaches it now, within two seconds; null: unknown',
  }),
  reachable_since: common.time.nullable().meta({ description: 'Since when it is so' }),
  unreachable_because: z
    .object({ code: z.enum(unreachableCodes), detail: z.string() })
    .nullable()
    .meta({ description: 'Why it is unreachable, or why this is unknown' }),
};

/** How other spokes' packets reach it. */
export const peerPath = z.enum(['direct', 'via hub']);

/** Whether other spokes can meet it without a hub, and if not, why. */
export const directPath = z.object({
  state: z.enum(['possible', 'not_needed', 'unknown', 'symmetric_nat', 'switched_off', 'limit']),
  detail: z.string(),
});

/** The worst of what is wrong with a peer, by the code of docs/reference/instance-problems.md. */
export const peerProblem = z.object({ code: z.string(), detail: z.string(), since: common.time });

/**
 * Who can begin a tunnel with it. by_members: they are told an endpoint of it. through_nat: other spokes, at the place
 * where hubs see it, as long as its NAT keeps that. by_nobody: it calls, and when that ends only it can begin again.
 */
export const calledFrom = z.object({
  state: z.enum(['by_members', 'through_nat', 'by_nobody']),
  detail: z.string(),
});

export const peer = z.object({
  ...common.base,
  network_id: common.id,
  node_instance_id: common.id,
  hostname: z.string(),
  public_key: common.publicKey,
  host_address: z.string(),
  ipv4_address: z.string().nullable(),
  role: z.enum(['hub', 'spoke']),
  publicly_reachable: z.boolean(),
  publicly_reachable_source: z.enum(['declared', 'detected']),
  role_because: z.string().nullable().meta({ description: 'Why it has this role; null: not recorded' }),
  endpoint_address: z.string().nullable().meta({ description: 'The first as declared' }),
  endpoint_addresses: z.array(z.string()).meta({ description: 'As declared; empty: observed' }),
  endpoint: z.string().nullable().meta({ description: 'Where other peers reach it' }),
  endpoints: z
    .array(z.string())
    .meta({ description: 'All endpoints, the preferred one first; each peer uses one that it can reach' }),
  listen_port: z.int().meta({ description: 'UDP listen port of WireGuard' }),
  called: calledFrom,
  tags: common.tagsShown,
  // Platforms of before do not say it.
  lan_subnets: z.array(lanSubnetShown).default([]).meta({ description: 'LANs behind it, as declared' }),
  pod_subnet: z.string().nullable().default(null).meta({ description: 'Its slice for pods; null: none' }),
  pod_subnet_source: podSubnetSource.nullable().default(null),
  status: peerStatus,
  ...presence,
  path: peerPath,
  via_hub_peer_id: common.id.nullable(),
  direct_path: directPath,
  direct_peer_ids: z.array(common.id).meta({ description: 'Spokes that it reaches without a hub now' }),
  draining: z.boolean(),
  last_handshake_at: common.time.nullable(),
  rx_bytes: z.int().nullable(),
  tx_bytes: z.int().nullable(),
  applied_revision: z.int().nullable(),
  desired_revision: z.int(),
  problem: peerProblem
    .nullable()
    .meta({ description: 'The most severe problem that its instance reports for this network' }),
});
export type Peer = z.infer<typeof peer>;

/** One tunnel as the topology shows it: who is configured with whom, over which interface. */
export const topologyLink = z.object({
  peer_id: common.id,
  remote_peer_id: common.id,
  interface: z.string(),
  purpose: z.enum(['leaf', 'transit']),
  endpoint: z.string().nullable(),
  allowed_ips: z.array(z.string()),
  last_handshake_at: common.time.nullable(),
  answers: z.boolean().nullable().meta({
    description: 'Whether probes through this tunnel are answered now; null: not probed, or unknown',
  }),
});

export const topologyNode = z.object({
  peer_id: common.id,
  node_instance_id: common.id,
  hostname: z.string(),
  role: z.enum(['hub', 'spoke']),
  host_address: z.string(),
  status: peerStatus,
  ...presence,
  connected: z.boolean().meta({ description: 'Its agent is connected to the platform' }),
  path: peerPath,
  via_hub_peer_id: common.id.nullable(),
  desired_revision: z.int(),
  applied_revision: z.int().nullable(),
  interfaces: z.array(
    z.object({
      name: z.string(),
      purpose: z.enum(['leaf', 'transit']),
      listen_port: z.int(),
      mtu: z.int(),
      addresses: z.array(z.string()),
    }),
  ),
  routes: z.array(z.object({ destination: z.string(), via: z.array(z.string()) })),
  virtual_ips: z
    .array(z.object({ virtual_ip_id: common.id, addresses: z.array(z.string()) }))
    .meta({ description: 'Virtual IPs that it holds' }),
  firewall: z
    .object({ default_policy: z.enum(['accept', 'drop']), rules_count: z.int() })
    .nullable()
    .meta({ description: 'The rules it evaluates; null: it accepts everything' }),
  port_mappings: z
    .array(
      z.object({
        port_mapping_id: common.id,
        protocol: z.enum(['tcp', 'udp']),
        external_address: z.string(),
        external_port: z.int(),
        target_address: z.string(),
        target_port: z.int(),
      }),
    )
    .meta({ description: 'Port mappings that it serves' }),
  user_devices_count: z.int().meta({ description: 'Devices that use it as their hub' }),
});

export const topology = z.object({
  network_id: common.id,
  handle: z.string(),
  prefix: z.string(),
  topology_strategy: z.enum(['hub_and_spoke', 'full_mesh']),
  revision: z.int(),
  nodes: z.array(topologyNode),
  links: z.array(topologyLink),
  warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  truncated: z.boolean(),
});
export type Topology = z.infer<typeof topology>;
