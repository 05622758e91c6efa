// Why one side reaches another, or not: a packet followed through what nodes are given.
import { z } from 'zod';
import * as common from './common.ts';

const id = common.id.optional();
const address = common.address.optional();

/** An object with exactly one of these members. */
function oneOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ');
  return z
    .strictObject(shape)
    .superRefine((value, context) => {
      const given = Object.values(value).filter((member) => member !== undefined);
      if (given.length !== 1) context.addIssue({ code: 'custom', message: `give exactly one of ${names}` });
    })
    .meta({ description: `One of ${names}` });
}

export const reachabilitySource = oneOf({ peer_id: id, address, user_device_id: id });
export const reachabilityDestination = oneOf({ peer_id: id, virtual_ip_id: id, address });

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
    'problem',
    'presence',
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
        'subnet_advertisement',
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
    z.object({
      kind: z.enum(['peer', 'user_device', 'virtual_ip', 'subnet_advertisement']).meta({
        description:
          'subnet_advertisement: a prefix behind peers, such as a LAN; the verdicts are those of the first address of it',
      }),
      id: common.id,
      name: z.string(),
    }),
  ),
  rows: z.array(
    z.object({
      id: common.id,
      verdicts: z.string().meta({
        description:
          'One letter for each destination: a allowed, d denied, n no route, u allowed by rules and routes but an instance on the path is unreachable, - itself',
      }),
    }),
  ),
  truncated: z.boolean(),
});
export type ReachabilityMatrix = z.infer<typeof reachabilityMatrix>;
