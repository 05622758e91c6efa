// Virtual IPs: addresses of the overlay that survive their holder.
import { z } from 'zod';
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

export const virtualIpTransition = z.object({
  at: common.time,
  from_peer_id: common.id.nullable(),
  to_peer_id: common.id.nullable(),
  reason: z.enum([
    'created',
    'holder_dead',
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
});
export type VirtualIp = z.infer<typeof virtualIp>;

export const virtualIpWithHistory = virtualIp.extend({ transitions: z.array(virtualIpTransition) });

export const virtualIpCandidate = z.object({
  peer_id: common.id,
  hostname: z.string(),
  score: z.int().meta({ description: '0: cannot hold it now; higher is better' }),
  reasons: z.array(z.string()),
});
