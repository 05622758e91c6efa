// Virtual IPs: addresses of the overlay that survive their holder.
import { z } from 'zod';
import * as anycastLimits from '../limits/anycast.ts';
import * as limits from '../limits/overlay.ts';
import * as common from './common.ts';

/** pending: nobody holds it yet; failing_over: taken from one holder and not yet at the next; unassigned: nobody can
 * hold it; error: its holder is gone and may not be replaced without a decision or a sign of life. */
export const virtualIpState = z.enum(['pending', 'active', 'failing_over', 'unassigned', 'error']);

export const failoverHolders = z
  .array(common.id)
  .max(limits.failoverHoldersMax)
  .refine((list) => new Set(list).size === list.length, 'each peer at most once')
  .meta({ description: 'In this order, after the primary holder' });

const times = z.int().min(1).max(anycastLimits.healthCheckTimesMax);

/** What a holder asks the service at the address on its own machine. */
export const healthCheck = z
  .strictObject({
    protocol: z.enum(['tcp', 'http']).meta({
      description: 'tcp: a connection is accepted; http: GET is answered with a status from 200 to 399',
    }),
    port: z.int().min(1).max(65_535),
    path: z
      .string()
      .max(anycastLimits.healthCheckPathMax)
      .regex(/^\/[\x21-\x7e]*$/, 'must start with / and have neither spaces nor control characters')
      .optional()
      .meta({ description: 'Of http alone; / by default' }),
    interval_ms: z
      .int()
      .min(anycastLimits.healthCheckIntervalMinMs)
      .max(anycastLimits.healthCheckIntervalMaxMs)
      .default(anycastLimits.healthCheckIntervalDefaultMs),
    fall: times
      .default(anycastLimits.healthCheckFallDefault)
      .meta({ description: 'Failures in a row after which a holder leaves' }),
    rise: times
      .default(anycastLimits.healthCheckRiseDefault)
      .meta({ description: 'Successes in a row after which it returns' }),
  })
  .refine(({ protocol, path }) => protocol === 'http' || path === undefined, {
    path: ['path'],
    message: 'is of http alone; omit it',
  });
export type HealthCheck = z.infer<typeof healthCheck>;

/** healthy: the service answers. failing: it does not, and packets go to other holders. unknown: nothing was said yet, or
 * there is no health check. */
export const holderHealth = z.enum(['healthy', 'failing', 'unknown']);
export type HolderHealth = z.infer<typeof holderHealth>;

export const virtualIpHolder = z.object({
  peer_id: common.id,
  hostname: z.string(),
  health: holderHealth,
  since: common.time.nullable(),
  last_error: z.string().nullable().meta({ description: 'Why the last check failed' }),
});
export type VirtualIpHolder = z.infer<typeof virtualIpHolder>;

export const virtualIpTransition = z.object({
  at: common.time,
  from_peer_id: common.id.nullable(),
  to_peer_id: common.id.nullable(),
  reason: z.enum([
    'created',
    'holder_dead',
    'check_failed',
    'by_hand',
    'preempted',
    'holder_changed',
    'holder_gone',
    'drained',
  ]),
  detail: z.string(),
  actor: z.string(),
  epoch: z.int(),
  took_ms: z.int().nullable().meta({ description: 'From the decision until the new holder has applied it' }),
});

export const virtualIp = z.object({
  ...common.base,
  network_id: common.id,
  name: common.name,
  address: z.string(),
  ipv4_address: z.string().nullable(),
  anycast: z.boolean(),
  state: virtualIpState,
  state_detail: z.string().nullable(),
  primary_holder_peer_id: common.id,
  failover_holder_peer_ids: z.array(common.id),
  current_holder_peer_id: common.id.nullable(),
  preempt: z.boolean(),
  hold_down_seconds: z.int(),
  epoch: z.int().meta({ description: 'Increases with every change of holder; instances reject older ones' }),
  last_transition_at: common.time.nullable(),
  health_check: z
    .object({
      protocol: z.enum(['tcp', 'http']),
      port: z.int(),
      path: z.string().optional(),
      interval_ms: z.int(),
      fall: z.int(),
      rise: z.int(),
    })
    .nullable()
    .default(null),
});
export type VirtualIp = z.infer<typeof virtualIp>;

export const virtualIpWithHistory = virtualIp.extend({
  transitions: z.array(virtualIpTransition),
  holders: z.array(virtualIpHolder).default([]).meta({
    description:
      'With the health of their service: all holders of an anycast address, otherwise the current holder',
  }),
});

export const virtualIpCandidate = z.object({
  peer_id: common.id,
  hostname: z.string(),
  score: z.int().meta({ description: '0: cannot hold it now; higher is better' }),
  reasons: z.array(z.string()),
});
