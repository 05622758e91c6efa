// Instances, join tokens and events: contract §3.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { event, instance, instanceStatus, joinToken, joinTokenOnce } from '../intent/fleet.ts';
import { timeTextMax } from '../limits/texts.ts';
import { joinTokenSecondsDefault, joinTokenSecondsMax } from '../limits/trust.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'fleet' as const;
/** To add a machine, a model needs only to make a token; the rest is not listed unless asked for. */
const tokensArea = 'provisioning' as const;

export const fleetActions = {
  createJoinToken: mutate({
    area,
    name: 'system_create_join_token',
    title: 'Create a join token',
    description:
      'A token for one instance to join, once. The answer includes the command to run on it. The token is shown once.',
    input: {
      name_hint: common.hostname.optional().meta({ description: 'Hostname for the instance' }),
      expires_in_seconds: z.int().min(1).max(joinTokenSecondsMax).default(joinTokenSecondsDefault),
      tags: common.tags.optional(),
    },
    output: { join_token: joinTokenOnce },
    permission: 'system.join_tokens.manage',
    category: 'system.join_token_create',
    kind: 'create',
    needsPerson: 'always',
    makesSecret: true,
    route: { method: 'POST', path: '/join_tokens' },
    cli: { noun: 'join-token', verb: 'create' },
  }),
  listJoinTokens: read({
    area: tokensArea,
    name: 'system_list_join_tokens',
    title: 'List join tokens',
    description: 'Join tokens of the account, without their secrets, and the instance that used each.',
    input: { ...pageInput },
    output: { join_tokens: z.array(joinToken), ...pageOutput },
    columns: { join_tokens: ['id', 'name_hint', 'status', 'expires_at', 'instance_id'] },
    permission: 'system.join_tokens.read',
    route: { method: 'GET', path: '/join_tokens' },
    cli: { noun: 'join-token', verb: 'list' },
  }),
  revokeJoinToken: mutate({
    area: tokensArea,
    name: 'system_revoke_join_token',
    title: 'Revoke a join token',
    description: 'An unused token stops working. An instance that has used it stays.',
    input: { join_token_id: common.id },
    output: { join_token: joinToken },
    permission: 'system.join_tokens.manage',
    category: 'system.join_token_revoke',
    kind: 'destroy',
    subject: 'join_token_id',
    route: { method: 'POST', path: '/join_tokens/{join_token_id}/revoke' },
    alsoAt: [{ method: 'DELETE', path: '/join_tokens/{join_token_id}' }],
    cli: { noun: 'join-token', verb: 'revoke' },
  }),
  listInstances: read({
    area,
    name: 'system_list_instances',
    title: 'List instances',
    description:
      'The instances of the fleet: whether they are online, and their desired and applied revision.',
    input: {
      ...pageInput,
      status: instanceStatus.optional(),
      hostname: common.line(253).optional().meta({ description: 'Begins with this' }),
      connected: z.boolean().optional(),
    },
    output: { instances: z.array(instance), ...pageOutput },
    columns: {
      instances: ['id', 'hostname', 'status', 'connected', 'in_sync', 'observed_address', 'last_heard_at'],
    },
    permission: 'system.instances.read',
    route: { method: 'GET', path: '/instances' },
    cli: { noun: 'instance', verb: 'list' },
  }),
  getInstance: read({
    area,
    name: 'system_get_instance',
    title: 'Get an instance',
    description: 'One instance, with the health of its subsystems as last reported.',
    input: { instance_id: common.id },
    output: { instance },
    permission: 'system.instances.read',
    subject: 'instance_id',
    route: { method: 'GET', path: '/instances/{instance_id}' },
    cli: { noun: 'instance', verb: 'get' },
  }),
  updateInstance: mutate({
    area,
    name: 'system_update_instance',
    title: 'Change an instance',
    description:
      'Changes the name or the tags of the instance on the platform. Its system hostname does not change.',
    input: {
      instance_id: common.id,
      hostname: common.hostname.optional(),
      tags: common.tags.optional(),
    },
    output: { instance },
    permission: 'system.instances.manage',
    category: 'system.instance_update',
    kind: 'update',
    needsPerson: { instance_id: 'free', hostname: 'free', tags: 'given' },
    subject: 'instance_id',
    route: { method: 'PATCH', path: '/instances/{instance_id}' },
    cli: { noun: 'instance', verb: 'update' },
  }),
  terminateInstance: mutate({
    area,
    name: 'system_terminate_instance',
    title: 'Terminate an instance',
    description:
      'Detaches the instance from every network, revokes its certificate and disconnects it. To return, it has to join again.',
    input: { instance_id: common.id },
    output: { instance },
    permission: 'system.instances.manage',
    category: 'system.instance_terminate',
    kind: 'destroy',
    revised: true,
    subject: 'instance_id',
    route: { method: 'DELETE', path: '/instances/{instance_id}' },
    alsoAt: [{ method: 'POST', path: '/instances/{instance_id}/terminate' }],
    cli: { noun: 'instance', verb: 'terminate' },
  }),
  drainInstance: mutate({
    area,
    name: 'system_drain_instance',
    title: 'Drain an instance',
    description:
      'Moves traffic away before maintenance, without loss: spokes switch to another hub, and virtual IPs move to their next holder. The instance stays in its networks. drain false returns it to service.',
    input: { instance_id: common.id, drain: z.boolean().default(true) },
    output: {
      instance,
      moves: z.array(z.object({ object: z.string(), id: common.id, detail: z.string() })),
      operation_id: common.id.nullable().meta({
        description:
          'ID of the operation that ends when nothing depends on the instance any more; null: none was started',
      }),
    },
    columns: { moves: ['object', 'id', 'detail'] },
    permission: 'system.instances.manage',
    category: 'system.instance_drain',
    kind: 'update',
    needsPerson: 'always',
    subject: 'instance_id',
    route: { method: 'POST', path: '/instances/{instance_id}/drain' },
    cli: { noun: 'instance', verb: 'drain' },
  }),
  retryRolledBack: mutate({
    area,
    name: 'system_retry_rolled_back',
    title: 'Retry a change that was rolled back',
    description:
      'An instance with the problem change_rolled_back applies the change again. If it loses its connection for 20 s, it rolls back again and reports the problem anew. Returns once the instance has been notified.',
    input: { instance_id: common.id },
    output: { instance },
    permission: 'system.instances.manage',
    category: 'system.instance_retry',
    kind: 'update',
    needsPerson: 'always',
    revised: false,
    // Each time is another trial.
    idempotent: false,
    subject: 'instance_id',
    route: { method: 'POST', path: '/instances/{instance_id}/retry' },
    cli: { noun: 'instance', verb: 'retry' },
  }),
  recentEvents: read({
    area,
    name: 'recent_events',
    title: 'Recent events',
    description:
      'Events, newest first: every change with its actor and the object before and after. For live events use GET /api/v1/events/stream.',
    input: {
      kind_prefix: common.line(100).optional(),
      since: z.iso.datetime({ offset: true }).max(timeTextMax).optional(),
      correlation_id: common.line(100).optional(),
      ...pageInput,
    },
    output: {
      events: z.array(event),
      ...pageOutput,
      deleted_to: common.time.optional().meta({
        description:
          'On the last page: events up to this moment were deleted, because they are not kept so long',
      }),
    },
    columns: { events: ['at', 'kind', 'severity', 'actor.name', 'id'] },
    permission: 'system.events.read',
    route: { method: 'GET', path: '/events' },
    cli: { noun: 'event', verb: 'list' },
  }),
} as const;
