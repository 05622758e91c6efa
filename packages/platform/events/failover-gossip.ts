// Messages between processes of one platform about nodes on their streams, over the bus: what a node has applied,
// what a hub reports, what the health checks of a holder find, lease renewals on their way to the process that leads, and
// its answers on their way back. Any of it may be lost; as a whole it is sent again every second (coordination/gossip.ts).
import { holderHealth } from '@powernode/core/intent/virtual-ip';
import * as anycastLimits from '@powernode/core/limits/anycast';
import * as limits from '@powernode/core/limits/overlay';
import { z } from 'zod';

const id = z.string().max(64);
const leases = z
  .array(z.strictObject({ virtual_ip_id: id, epoch: z.int().min(0) }))
  .max(limits.virtualIpsPerNodeMax);

/** One node, as reported to the process that has its stream. */
export const nodeReport = z.strictObject({
  instanceId: id,
  /** Another one after every reconnection. */
  stream: id,
  applied: z.strictObject({ revision: z.int(), hash: z.string().max(64) }).nullable(),
  words: z.array(z.strictObject({ peerId: id, alive: z.boolean() })).max(limits.watchedPeersMax),
  /** What its health checks found; absent: it has none. */
  checks: z
    .array(
      z.strictObject({
        virtualIpId: id,
        check: z.strictObject({
          health: holderHealth,
          lastError: z.string().max(anycastLimits.healthCheckErrorMax).nullable(),
        }),
      }),
    )
    .max(anycastLimits.healthChecksPerFrameMax)
    .optional(),
});
export type NodeReport = z.infer<typeof nodeReport>;

export const failoverGossip = z.discriminatedUnion('about', [
  /** All nodes that have a stream to the process. */
  z.strictObject({ about: z.literal('all'), from: id, reports: z.array(nodeReport) }),
  z.strictObject({ about: z.literal('node'), from: id, report: nodeReport }),
  z.strictObject({ about: z.literal('left'), from: id, instanceId: id, stream: id }),
  z.strictObject({
    about: z.literal('hold'),
    from: id,
    instanceId: id,
    stream: id,
    sequence: z.int(),
    leases,
  }),
  z.strictObject({
    about: z.literal('held'),
    to: id,
    instanceId: id,
    stream: id,
    sequence: z.int(),
    leases,
  }),
  /** Does the hub's report on that peer still stand? */
  z.strictObject({
    about: z.literal('question'),
    to: id,
    from: id,
    question: id,
    instanceId: id,
    stream: id,
    peerId: id,
  }),
  z.strictObject({
    about: z.literal('answer'),
    to: id,
    question: id,
    /** null: it has no report on that peer. */
    alive: z.boolean().nullable(),
  }),
]);
export type FailoverGossip = z.infer<typeof failoverGossip>;
