// What processes of one platform tell each other of machines, over the bus. Of presence: changes as they come, numbered,
// and a beat every second; whoever finds a number missing, or hears of a process for the first time, asks for all of it.
// Of identities: whether the machine of a stream answers on another one elsewhere.
import * as limits from '@powernode/core/limits';
import { z } from 'zod';

const id = z.string().max(64);
const time = z.number();

const telling = z.strictObject({
  instanceId: id,
  isOnline: z.boolean(),
  atMs: time,
  /** What was known of the machine's words before is forgotten. */
  isWhole: z.boolean(),
  heard: z
    .array(
      z.strictObject({ address: z.string().max(limits.addressTextMax), heard: z.boolean(), sinceMs: time }),
    )
    .max(limits.peersPerNetworkMax),
  tunnels: z
    .array(
      z.strictObject({
        peerId: id,
        state: z.enum(['answers', 'silent', 'forwards_nothing']),
        sinceMs: time,
      }),
    )
    .max(limits.probedPathsMax),
});

export const presenceGossip = z.discriminatedUnion('about', [
  /** `isWhole`: what was known of the process before is forgotten. `isGone`: the stream has ended. */
  z.strictObject({
    about: z.literal('said'),
    from: id,
    number: z.int(),
    isWhole: z.boolean(),
    tellings: z.array(telling).max(limits.presenceGossipMax),
    gone: z.array(id).max(limits.presenceGossipMax),
  }),
  z.strictObject({ about: z.literal('wanted'), to: id }),
  z.strictObject({ about: z.literal('ends'), from: id }),
]);
export type PresenceGossip = z.infer<typeof presenceGossip>;

export const identityGossip = z.discriminatedUnion('about', [
  /** `to`: who has to answer; null: whoever has a stream of the machine that answers. `address`: where the other is. */
  z.strictObject({
    about: z.literal('asks'),
    question: id,
    from: id,
    to: id.nullable(),
    instanceId: id,
    address: z.string().max(limits.addressTextMax),
  }),
  z.strictObject({ about: z.literal('answers'), question: id, isThere: z.boolean() }),
]);
export type IdentityGossip = z.infer<typeof identityGossip>;
