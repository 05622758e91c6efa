// What processes of one platform tell each other about nodes on their streams, over the bus: what a node has applied
// and what a hub hears, questions of holders on their way to the process that leads, and its answers on their way back.
// Any of it may be lost; as a whole it is told again every second (limits: `hearsayBeatMs`).
import * as limits from '@powernode/core/limits';
import { z } from 'zod';

const id = z.string().max(64);
const leases = z
  .array(z.strictObject({ virtual_ip_id: id, epoch: z.int().min(0) }))
  .max(limits.virtualIpsPerNodeMax);

/** One node, as the process hears it that has its stream. */
export const hearing = z.strictObject({
  instanceId: id,
  /** Another one after every reconnection. */
  stream: id,
  applied: z.strictObject({ revision: z.int(), hash: z.string().max(64) }).nullable(),
  words: z.array(z.strictObject({ peerId: id, alive: z.boolean() })).max(limits.watchedPeersMax),
});
export type Hearing = z.infer<typeof hearing>;

export const hearsay = z.discriminatedUnion('about', [
  /** Everything that the process hears; what is not in it, it does not hear. */
  z.strictObject({ about: z.literal('all'), from: id, hearings: z.array(hearing) }),
  z.strictObject({ about: z.literal('node'), from: id, hearing }),
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
  /** Does the hub stand by its word on that peer? */
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
    /** null: it has no word on that peer. */
    alive: z.boolean().nullable(),
  }),
]);
export type Hearsay = z.infer<typeof hearsay>;
