// A network: one IPv6 overlay, a /64 of its account's pool.
import { z } from 'zod';
import { overlayMtuMax, overlayMtuMin } from '../limits/overlay.ts';
import * as common from './common.ts';

export const topologyStrategy = z.enum(['hub_and_spoke', 'full_mesh']);
export const routingMode = z.enum(['static', 'ibgp']);
export const firewallPolicy = z.enum(['accept', 'drop']);
export const mtu = z.int().min(overlayMtuMin).max(overlayMtuMax);

export const network = z.object({
  ...common.base,
  name: common.name,
  description: z.string(),
  handle: z.string().meta({ description: 'Names the interfaces: wg-<handle>' }),
  prefix: z.string(),
  ipv4_prefix: z.string().nullable().meta({ description: 'IPv4 prefix; null: no IPv4' }),
  pod_subnet_prefix: z.string().nullable(),
  // Platforms of before do not say it.
  flannel: z
    .object({ flannel_iface: z.string(), flannel_backend: z.enum(['host-gw']), cluster_cidr: z.string() })
    .nullable()
    .default(null)
    .meta({ description: 'What a cluster of k3s or flannel is started with; null: no pods' }),
  routing_mode: routingMode,
  topology_strategy: topologyStrategy,
  firewall_default_policy: firewallPolicy,
  direct_paths: z
    .boolean()
    .meta({ description: 'Spokes behind NAT connect without a hub where their NATs allow it' }),
  rematch_connections: z
    .boolean()
    .meta({ description: 'Connections that are no longer allowed are terminated when rules change' }),
  mtu: z.int(),
  status: z.enum(['active']),
  peer_count: z.int(),
  hub_count: z.int(),
});
export type Network = z.infer<typeof network>;
