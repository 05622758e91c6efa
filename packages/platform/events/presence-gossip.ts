// Messages about machines between processes of one platform, over the bus. Presence: numbered changes as they come, and
// a beat every second; a process that misses a number, or meets another process for the first time, asks for everything.
// Identities: whether the machine of a stream answers on another stream elsewhere.
import * as overlayLimits from '@powernode/core/limits/overlay';
import * as presenceLimits from '@powernode/core/limits/presence';
import * as textsLimits from '@powernode/core/limits/texts';
import { z } from 'zod';

const id = z.string().max(64);
const time = z.number();

const machineReport = z.strictObject({
  instanceId: id,
  isOnline: z.boolean(),
  atMs: time,
  /** Earlier reports of the machine are to be forgotten. */
  isWhole: z.boolean(),
  heard: z
    .array(
      z.strictObject({
        address: z.string().max(textsLimits.addressTextMax),
        heard: z.boolean(),
        sinceMs: time,
      }),
    )
    .max(overlayLimits.peersPerNetworkMax),
  tunnels: z
    .array(
      z.strictObject({
        peerId: id,
        state: z.enum(['answers', 'silent', 'forwards_nothing']),
        sinceMs: time,
      }),
    )
    .max(presenceLimits.probedPathsMax),
});

export const presenceGossip = z.discriminatedUnion('about', [
  /** `isWhole`: what was known of the process before is forgotten. `gone`: machines whose stream has ended. */
  z.strictObject({
    about: z.literal('said'),
    from: id,
    number: z.int(),
    isWhole: z.boolean(),
    reports: z.array(machineReport).max(presenceLimits.presenceGossipMax),
    gone: z.array(id).max(presenceLimits.presenceGossipMax),
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
    address: z.string().max(textsLimits.addressTextMax),
  }),
  z.strictObject({ about: z.literal('answers'), question: id, isThere: z.boolean() }),
]);
export type IdentityGossip = z.infer<typeof identityGossip>;
