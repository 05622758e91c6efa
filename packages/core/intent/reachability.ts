// Why one side reaches another, or not: a packet followed through what nodes are given.
import { z } from 'zod';
import * as common from './common.ts';

const ids = { peer_id: common.id.optional(), address: common.address.optional() };

function exactlyOne(value: Record<string, unknown>, context: z.RefinementCtx): void {
  const given = Object.entries(value).filter(([, member]) => member !== undefined);
  if (given.length === 1) return;
  context.addIssue({
    code: 'custom',
    message: `give exactly one of ${Object.keys(value).join(', ') || 'its members'}`,
  });
}

export const reachabilitySource = z
  .strictObject({ ...ids, user_device_id: common.id.optional() })
  .superRefine(exactlyOne)
  .meta({ description: 'One of peer_id, address, user_device_id' });
export const reachabilityDestination = z
  .strictObject({ ...ids, virtual_ip_id: common.id.optional() })
  .superRefine(exactlyOne)
  .meta({ description: 'One of peer_id, virtual_ip_id, address' });

export const reachabilityProtocol = z.enum(['tcp', 'udp', 'icmp6']);
export const verdict = z.enum(['allowed', 'denied', 'no_route']);

export const reachabilityStep = z.object({
  step: z.enum([
    'source',
    'destination',
    'address',
    'route',
    'tunnel',
    'egress',
    'forward',
    'ingress',
    'mapping',
    'verdict',
  ]),
  node: z.object({ peer_id: common.id, hostname: z.string() }).nullable(),
  object: z
    .object({
      type: z.enum([
        'peer',
        'virtual_ip',
        'user_device',
        'firewall_rule',
        'port_mapping',
        'network',
        'route',
        'interface',
      ]),
      id: z.string(),
      name: z.string(),
    })
    .nullable(),
  detail: z.string(),
});
export type ReachabilityStep = z.infer<typeof reachabilityStep>;

/** Who reaches whom in a network, for one protocol and port: rows are sources. */
export const reachabilityMatrix = z.object({
  network_id: common.id,
  protocol: reachabilityProtocol,
  port: z.int().nullable(),
  nodes: z.array(
    z.object({ kind: z.enum(['peer', 'user_device', 'virtual_ip']), id: common.id, name: z.string() }),
  ),
  /** One letter for each destination in a row: a allowed, d denied, n no route, - itself. */
  rows: z.array(z.object({ id: common.id, verdicts: z.string() })),
  truncated: z.boolean(),
});
export type ReachabilityMatrix = z.infer<typeof reachabilityMatrix>;
