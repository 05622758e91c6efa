// The lab file: what a person may write, read strictly. Names only; which address and which interface
// belongs to what is decided in plan.ts.
import * as common from '@powernode/core/intent/common';
import { firewallPolicy, mtu, routingMode, topologyStrategy } from '@powernode/core/intent/network';
import { lanSubnet } from '@powernode/core/intent/subnet';
import { labNameLengthMax, labNodesMax, labPlatformsMax } from '@powernode/core/limits/lab';
import { parseAddress } from '@powernode/core/net/address';
import { type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import { z } from 'zod';

/** The one segment that every lab has: the internet in small. */
export const publicSegment = 'public';

const name = z
  .string()
  .max(labNameLengthMax)
  .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, 'must be lower-case letters, digits and -, from a letter on');

const ipv4Address = z.string().refine((text) => parseAddress(text)?.family === 4, 'must be an IPv4 address');

/** A block of a family, with room for all nodes that a segment may have. */
function block(family: 4 | 6): z.ZodType<string> {
  const longest = family === 4 ? 24 : 64;
  const fits = (prefix: Prefix | null) => prefix?.family === family && prefix.length <= longest;
  return z
    .string()
    .refine(
      (text) => fits(parsePrefix(text)),
      `must be an IPv${family} prefix of length ${longest} or shorter, with the host bits zero`,
    );
}

const platform = z.strictObject({ name, address: ipv4Address.optional() });
const lan = z.strictObject({ name, prefix4: block(4).optional(), prefix6: block(6).optional() });
const nat = z.strictObject({
  name,
  kind: z.enum(['cone', 'symmetric']),
  lan: name,
  /** Where its outer side is; a LAN of another NAT makes a carrier's NAT. */
  on: name.default(publicSegment),
});
const host = z.strictObject({
  name,
  on: z.union([name, z.array(name).min(1).max(8)]).transform((on) => (Array.isArray(on) ? on : [on])),
  platform: name.optional(),
  /** `none`: a machine of somebody else, which joins no platform. */
  agent: z.enum(['run', 'none']).default('run'),
  /** The protocols that it has addresses of, where its segments have them. */
  families: z
    .array(z.enum(['ipv4', 'ipv6']))
    .min(1)
    .default(['ipv4', 'ipv6']),
  /** A host on a LAN of this one, to which it sends what is for elsewhere. Left out: the NAT of the LAN. */
  gateway: name.optional(),
  role: z.enum(['hub', 'spoke']).default('spoke'),
  tags: common.tags.optional(),
});
/** A LAN that a host is in front of: the network routes its prefixes to that host. */
const declaredLan = lanSubnet
  .pick({ description: true, preference: true, source_nat: true })
  .extend({ host: name, lan: name });
const network = z.strictObject({
  name: common.name,
  platform: name.optional(),
  hosts: z.array(name).min(1).max(labNodesMax),
  lan_subnets: z.array(declaredLan).max(labNodesMax).default([]),
  description: common.description.optional(),
  prefix: common.prefix.optional(),
  /** null: no IPv4 prefix. */
  ipv4_prefix: common.prefix.nullable().optional(),
  pod_subnet_prefix: common.prefix.optional(),
  routing_mode: routingMode.optional(),
  topology_strategy: topologyStrategy.optional(),
  firewall_default_policy: firewallPolicy.optional(),
  mtu: mtu.optional(),
  direct_paths: z.boolean().optional(),
  rematch_connections: z.boolean().optional(),
});

export const labSpec = z.strictObject({
  name,
  public: z.strictObject({ prefix4: block(4), prefix6: block(6) }).optional(),
  platforms: z.array(platform).max(labPlatformsMax).default([]),
  lans: z.array(lan).max(labNodesMax).default([]),
  nats: z.array(nat).max(labNodesMax).default([]),
  hosts: z.array(host).max(labNodesMax).default([]),
  networks: z.array(network).max(labNodesMax).default([]),
});
export type LabSpec = z.infer<typeof labSpec>;
export type LabSpecInput = z.input<typeof labSpec>;

/** Something wrong in a lab file: where, and why. `path` is as in the file: `['hosts', 1, 'on']`. */
export interface SpecProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Whether a name can name a lab or a node of one. */
export function isLabName(text: string): boolean {
  return name.safeParse(text).success;
}
