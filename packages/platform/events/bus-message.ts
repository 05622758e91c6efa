// Messages of the bus as they travel between processes: JSON, parsed once where they arrive.
import { event } from '@powernode/core/intent/fleet';
import { z } from 'zod';
import type { BusMessage } from './event-bus.ts';
import { failoverGossip } from './failover-gossip.ts';
import { identityGossip, presenceGossip } from './presence-gossip.ts';

const message = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('event'), accountId: z.string(), event }),
  z.strictObject({ kind: z.literal('changed'), accountId: z.string(), sequence: z.int() }),
  z.strictObject({ kind: z.literal('instance_ended'), accountId: z.string(), instanceId: z.string() }),
  z.strictObject({ kind: z.literal('retry'), instanceId: z.string() }),
  z.strictObject({ kind: z.literal('failover'), gossip: failoverGossip }),
  z.strictObject({ kind: z.literal('capability'), instanceId: z.string(), capability: z.int() }),
  z.strictObject({ kind: z.literal('presence'), presence: presenceGossip }),
  z.strictObject({ kind: z.literal('identity'), identity: identityGossip }),
]);

/** An envelope names its sender, which has told its own listeners already. */
const envelope = z.strictObject({ from: z.string(), message });

export function encodeEnvelope(from: string, sent: BusMessage): string {
  return JSON.stringify({ from, message: sent });
}

/** Null for a text that is none of ours, such as one of a newer version. */
export function decodeEnvelope(text: string): { readonly from: string; readonly message: BusMessage } | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = envelope.safeParse(value);
  return result.success ? result.data : null;
}
