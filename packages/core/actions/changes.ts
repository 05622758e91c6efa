// The numbered changes of an account: why a node is at its revision (contract §7).
import { z } from 'zod';
import { change } from '../intent/change.ts';
import * as common from '../intent/common.ts';
import { revisionMax } from '../limits/texts.ts';
import { pageInput, pageOutput, read } from './define.ts';

export const changeActions = {
  listChanges: read({
    area: 'fleet',
    name: 'system_list_changes',
    title: 'List changes',
    description:
      'Why an instance is at its revision: the configuration changes of the account, newest first, each with its action, its actor, the correlation ID of its events, and the instances that it reached. With instance_id, those that reached this instance; with network_id, those of this network.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      instance_id: common.id.optional(),
      from_sequence: z
        .int()
        .min(1)
        .max(revisionMax)
        .optional()
        .meta({ description: 'Only changes with this number or a higher one' }),
    },
    output: {
      changes: z.array(change),
      ...pageOutput,
      deleted_to: z.int().optional().meta({
        description:
          'On the last page: changes up to this number were deleted, because they are not kept so long',
      }),
    },
    columns: { changes: ['sequence', 'at', 'action', 'actor.name', 'node_count', 'correlation_id'] },
    permission: 'system.events.read',
    route: { method: 'GET', path: '/changes' },
    cli: { noun: 'change', verb: 'list' },
  }),
} as const;
