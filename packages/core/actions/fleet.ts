// Machines, the tokens that let them in, and events: contract §3.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { event, instance, instanceStatus, joinToken, joinTokenOnce } from '../intent/fleet.ts';
import { joinTokenSecondsDefault, joinTokenSecondsMax } from '../limits.ts';
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
      'A token that lets one machine in, once. The answer has the command to run on that machine. The token is shown once.',
    input: {
      name_hint: common.name.optional(),
      expires_in_seconds: z.int().min(1).max(joinTokenSecondsMax).default(joinTokenSecondsDefault),
      tags: common.tags.optional(),
    },
    output: { join_token: joinTokenOnce },
    permission: 'system.join_tokens.manage',
    category: 'system.join_token_create',
    kind: 'create',
    route: { method: 'POST', path: '/join_tokens' },
    cli: { noun: 'join-token', verb: 'create' },
  }),
  listJoinTokens: read({
    area: tokensArea,
    name: 'system_list_join_tokens',
    title: 'List join tokens',
    description: 'Join tokens of the account, without their secrets, and which machine used each.',
    input: { ...pageInput },
    output: { join_tokens: z.array(joinToken), ...pageOutput },
    permission: 'system.join_tokens.read',
    route: { method: 'GET', path: '/join_tokens' },
    cli: { noun: 'join-token', verb: 'list' },
  }),
  revokeJoinToken: mutate({
    area: tokensArea,
    name: 'system_revoke_join_token',
    title: 'Revoke a join token',
    description: 'An unused token stops working. A machine that has used it already stays.',
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
    title: 'List machines',
    description:
      'The machines of the fleet: whether they are connected, and the revision that each should have and has applied.',
    input: {
      ...pageInput,
      status: instanceStatus.optional(),
      hostname: common.line(253).optional().meta({ description: 'Begins with this' }),
      connected: z.boolean().optional(),
    },
    output: { instances: z.array(instance), ...pageOutput },
    permission: 'system.instances.read',
    route: { method: 'GET', path: '/instances' },
    cli: { noun: 'instance', verb: 'list' },
  }),
  getInstance: read({
    area,
    name: 'system_get_instance',
    title: 'Get a machine',
    description: 'One machine, with the state of its subsystems as it last reported them.',
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
    title: 'Change a machine',
    description:
      'Gives the machine another name or other tags on the platform. The machine itself keeps the name that it has.',
    input: {
      instance_id: common.id,
      hostname: common.name.optional(),
      tags: common.tags.optional(),
    },
    output: { instance },
    permission: 'system.instances.manage',
    category: 'system.instance_update',
    kind: 'update',
    subject: 'instance_id',
    route: { method: 'PATCH', path: '/instances/{instance_id}' },
    cli: { noun: 'instance', verb: 'update' },
  }),
  terminateInstance: mutate({
    area,
    name: 'system_terminate_instance',
    title: 'Terminate a machine',
    description:
      'Detaches the machine from every network, revokes its certificate and ends its stream. To bring it back it has to join again.',
    input: { instance_id: common.id },
    output: { instance },
    permission: 'system.instances.manage',
    category: 'system.instance_terminate',
    kind: 'destroy',
    subject: 'instance_id',
    route: { method: 'DELETE', path: '/instances/{instance_id}' },
    alsoAt: [{ method: 'POST', path: '/instances/{instance_id}/terminate' }],
    cli: { noun: 'instance', verb: 'terminate' },
  }),
  drainInstance: mutate({
    area,
    name: 'system_drain_instance',
    title: 'Drain a machine',
    description:
      'Moves work away before maintenance, and loses nothing: spokes leave it as a hub, virtual IPs go to their next holder. It stays in its networks. With drain false it takes work again.',
    input: { instance_id: common.id, drain: z.boolean().default(true) },
    output: { instance, moves: z.array(z.object({ object: z.string(), id: common.id, detail: z.string() })) },
    permission: 'system.instances.manage',
    category: 'system.instance_drain',
    kind: 'update',
    subject: 'instance_id',
    route: { method: 'POST', path: '/instances/{instance_id}/drain' },
    cli: { noun: 'instance', verb: 'drain' },
  }),
  recentEvents: read({
    area,
    name: 'recent_events',
    title: 'Recent events',
    description:
      'What happened, newest first: every change with its actor and with before and after. The live form is GET /api/v1/events/stream.',
    input: {
      kind_prefix: common.line(100).optional(),
      since: z.iso.datetime({ offset: true }).optional(),
      correlation_id: common.line(100).optional(),
      ...pageInput,
    },
    output: { events: z.array(event), ...pageOutput },
    permission: 'system.events.read',
    route: { method: 'GET', path: '/events' },
    cli: { noun: 'event', verb: 'list' },
  }),
} as const;
