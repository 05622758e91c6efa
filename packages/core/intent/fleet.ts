// The fleet: instances (machines that run the agent) and the join tokens that let them in.
import { z } from 'zod';
import * as common from './common.ts';

export const instanceStatus = z.enum([
  'pending',
  'provisioning',
  'running',
  'draining',
  'stopped',
  'terminated',
  'error',
]);

export const subsystem = z.object({
  name: z.string(),
  state: z.enum(['ok', 'degraded', 'failed']),
  message: z.string(),
  observed_at: common.time,
});

/** What a node says is wrong with it; codes are those of docs/reference/instance-problems.md. */
export const shownProblem = z.object({
  subsystem: z.enum(common.nodeSubsystems),
  code: z.string(),
  severity: z.enum(['warning', 'error']),
  detail: z.string(),
  network_id: common.id.nullable(),
  peer_id: common.id
    .nullable()
    .meta({ description: 'The other end, where it concerns the path to one peer' }),
  interface: z.string().nullable(),
  since: common.time,
});
export type ShownProblem = z.infer<typeof shownProblem>;

export const instance = z.object({
  ...common.base,
  hostname: z.string(),
  status: instanceStatus,
  provider: z.string().meta({ description: 'joined: enrolled with a join token; own: created first' }),
  connected: z.boolean().meta({ description: 'Its agent is connected to the platform' }),
  offline_since: common.time.nullable().meta({
    description: 'When its agent was last connected to the platform; null: connected now, or never',
  }),
  last_heard_at: common.time.nullable().meta({ description: 'Last seen by the platform or by a hub' }),
  last_heard_by: z
    .object({ kind: z.enum(['platform', 'peer']), peer_id: common.id.nullable(), name: z.string() })
    .nullable(),
  platform_version: z.string().nullable(),
  agent_version: z.string().nullable(),
  last_heartbeat_at: common.time.nullable(),
  applied_revision: z.int().nullable(),
  desired_revision: z.int(),
  in_sync: z.boolean(),
  observed_address: z.string().nullable(),
  publicly_reachable: z.boolean().meta({ description: 'As detected: no NAT between it and the platform' }),
  unused_keys: z.int(),
  certificate_expires_at: common.time.nullable(),
  tags: common.tagsShown,
  subsystems: z.array(subsystem),
  problems: z.array(shownProblem).meta({ description: 'Problems, as last reported' }),
});
export type Instance = z.infer<typeof instance>;

export const joinToken = z.object({
  ...common.base,
  name_hint: z.string().nullable(),
  tags: common.tagsShown,
  status: z.enum(['unused', 'used', 'expired', 'revoked']),
  expires_at: common.time,
  used_at: common.time.nullable(),
  instance_id: common.id.nullable(),
});

export const joinTokenOnce = joinToken.extend({
  token: z.string().meta({ description: 'Shown once' }),
  command: z.string(),
});

export const event = z.object({
  id: common.id,
  account_id: common.id,
  kind: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  at: common.time,
  actor: z.object({
    kind: z.enum(['operator', 'instance', 'platform']),
    id: z.string().nullable(),
    name: z.string(),
    account_id: common.id.optional().meta({
      description: 'Of a platform administrator who acts in an account other than its own',
    }),
    token: z
      .object({
        id: common.id,
        name: z.string(),
        created_by: z.object({ id: common.id, name: z.string() }).nullable(),
      })
      .optional()
      .meta({ description: 'The token that the operator used, and its creator; null: the platform itself' }),
  }),
  correlation_id: z.string(),
  payload: z.record(z.string(), z.unknown()),
});
export type Event = z.infer<typeof event>;
