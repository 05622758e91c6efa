// A numbered change of what networks should be: who made it, by which action, and which machines it reached.
import { z } from 'zod';
import * as common from './common.ts';
import { event } from './fleet.ts';

export const change = z.object({
  sequence: z
    .int()
    .meta({ description: 'Its number in the account, which is the revision of an instance that it reached' }),
  at: common.time,
  action: z.string().nullable().meta({
    description:
      'The action that made it, or what the platform followed by itself (such as observed_endpoint); null: made before this was kept',
  }),
  actor: event.shape.actor.nullable().meta({ description: 'Who made it; null: made before this was kept' }),
  correlation_id: z.string().nullable().meta({ description: 'The same as that of its events' }),
  networks: z
    .array(z.object({ network_id: common.id, name: z.string().nullable() }))
    .meta({ description: 'Whose objects it changed; the name is null when the network is gone' }),
  nodes: z.array(z.object({ instance_id: common.id, hostname: z.string().nullable() })).meta({
    description:
      'Instances whose configuration it changed; empty when there are more than are kept (see node_count)',
  }),
  node_count: z.int().nullable().meta({ description: 'All of them; null: made before this was kept' }),
});
