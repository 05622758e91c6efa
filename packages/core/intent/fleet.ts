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

export const instance = z.object({
  ...common.base,
  hostname: z.string(),
  status: instanceStatus,
  provider: z.string().meta({ description: 'joined: enrolled by a join token; own: asked for first' }),
  connected: z.boolean(),
  platform_version: z.string().nullable(),
  agent_version: z.string().nullable(),
  last_heartbeat_at: common.time.nullable(),
  applied_revision: z.int().nullable(),
  desired_revision: z.int(),
  in_sync: z.boolean(),
  observed_address: z.string().nullable(),
  publicly_reachable: z
    .boolean()
    .meta({ description: 'As detected: no translation between it and the platform' }),
  unused_keys: z.int(),
  certificate_expires_at: common.time.nullable(),
  tags: common.tagsShown,
  subsystems: z.array(subsystem),
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
  }),
  correlation_id: z.string(),
  payload: z.record(z.string(), z.unknown()),
});
export type Event = z.infer<typeof event>;
