// Prefixes behind peers that the network routes to: LANs that operators declare, and slices of pods.
import { z } from 'zod';
import { lanSubnetsPerPeerMax, subnetPreferenceDefault, subnetPreferenceMax } from '../limits/overlay.ts';
import * as common from './common.ts';

export const subnetSource = z.enum(['declared_lan_subnet', 'virtual_ip', 'pod_subnet', 'federation']);

/**
 * Who chose the slice of a peer. assigned: the platform; observed: a cluster on its machine, as that says; set: an operator.
 * The later ones go before the earlier ones.
 */
export const podSubnetSource = z.enum(['assigned', 'observed', 'set']);
export type PodSubnetSource = z.infer<typeof podSubnetSource>;

/** A LAN behind a peer, as an operator declares it. */
export const lanSubnet = z.strictObject({
  prefix: common.prefix.meta({ description: 'As the network knows it' }),
  local_prefix: common.prefix.optional().meta({
    description:
      'As clients in the LAN know it, of the same length; addresses are rewritten one to one. Left out: the same as prefix',
  }),
  description: common.description.optional(),
  preference: z
    .int()
    .min(0)
    .max(subnetPreferenceMax)
    .default(subnetPreferenceDefault)
    .meta({ description: 'Of several peers with the same prefix the highest is used' }),
  source_nat: z.boolean().default(false).meta({
    description: 'Clients in the LAN see the address of the instance, so that they need no route back',
  }),
});
export const lanSubnets = z.array(lanSubnet).max(lanSubnetsPerPeerMax);
export type LanSubnet = z.infer<typeof lanSubnet>;

/** The same as a peer shows it. */
export const lanSubnetShown = z.object({
  prefix: z.string(),
  local_prefix: z.string(),
  description: z.string(),
  preference: z.int(),
  source_nat: z.boolean(),
});

export const subnetAdvertisement = z.object({
  ...common.base,
  network_id: common.id,
  peer_id: common.id,
  hostname: z.string(),
  prefix: z.string(),
  local_prefix: z.string(),
  source: subnetSource,
  description: z.string(),
  preference: z.int(),
  source_nat: z.boolean(),
  withdrawn_at: common.time
    .nullable()
    .meta({ description: 'Since when it is no longer routed to; null: it is' }),
});
export type SubnetAdvertisement = z.infer<typeof subnetAdvertisement>;
