// Port mappings: ports of a hub outside that lead to an address of the overlay.
import { z } from 'zod';
import * as limits from '../limits/overlay.ts';
import * as common from './common.ts';

export const port = z.int().min(1).max(65535);
export const mappingProtocol = z.enum(['tcp', 'udp']);
export const sourceCidrs = z.array(common.prefix).max(limits.mappingSourceCidrsMax);
export const rateLimit = z
  .int()
  .min(1)
  .max(limits.mappingRateMax)
  .meta({ description: 'New connections per second' });
export const maxConnections = z
  .int()
  .min(1)
  .max(limits.mappingConnectionsMax)
  .meta({ description: 'Connections at once' });

export const portMapping = z.object({
  ...common.base,
  network_id: common.id,
  hub_peer_id: common.id,
  hub_hostname: z.string(),
  external_address: z.string(),
  external_port: z.int(),
  protocol: mappingProtocol,
  internal_peer_id: common.id.nullable(),
  internal_virtual_ip_id: common.id.nullable(),
  internal_address: z
    .string()
    .nullable()
    .meta({ description: 'Current target address; null: the target was deleted' }),
  internal_port: z.int(),
  source_cidrs: z.array(z.string()),
  rate_limit: z.int().nullable(),
  max_connections: z.int().nullable(),
  status: z.enum(['active', 'target_missing', 'hub_missing']),
  status_detail: z.string().nullable(),
  keeps_client_address: z.boolean().meta({
    description: 'Client IP preserved; otherwise packets reach the target with the address of the hub',
  }),
});
export type PortMapping = z.infer<typeof portMapping>;
