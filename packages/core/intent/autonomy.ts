// Policies (what happens when an action of a category is asked for) and approvals (who decides what waits).
import { z } from 'zod';
import * as common from './common.ts';

export const policyMode = z.enum(['auto_approve', 'notify_and_proceed', 'require_approval', 'blocked']);
export type PolicyMode = z.infer<typeof policyMode>;

/** Categories of what sensors ask for, beside those of the actions: contract §7. */
export const sensorCategories: readonly {
  readonly name: string;
  readonly defaultMode: PolicyMode;
  readonly description: string;
}[] = [
  {
    name: 'system.sdwan_vip_failover',
    defaultMode: 'require_approval',
    description: 'Move a virtual IP whose holder has failed, or back to a better candidate',
  },
  {
    name: 'system.sdwan_route_policy_audit',
    defaultMode: 'auto_approve',
    description:
      'Audit route policies and firewall rules now and then and after changes; with require_approval or blocked only people audit them',
  },
];

export const policy = z.object({
  ...common.base,
  category: z.string(),
  mode: policyMode,
  default_mode: policyMode,
  is_default: z.boolean().meta({ description: 'No mode is set: it follows default_mode' }),
  description: z.string(),
  actions: z.array(z.string()),
});

export const approvalStatus = z.enum(['pending', 'approved', 'rejected', 'failed']);

/** What answers a call that waits for a decision (contract §1). */
export const deferredOperation = z.object({
  id: common.id,
  action: z.string(),
  summary: z.string(),
  expires_at: common.time,
  revision: z.int().optional().meta({ description: 'Of the request, whose plan this is' }),
});

export const approval = z.object({
  ...common.base,
  action: z.string(),
  category: z.string(),
  summary: z.string(),
  input: z.record(z.string(), z.unknown()),
  plan: z.unknown().nullable().meta({ description: 'What it would change, when it was last read by its id' }),
  status: approvalStatus,
  requested_by: z.object({ id: common.id.nullable(), name: z.string() }),
  decided_by: z.object({ id: common.id.nullable(), name: z.string() }).nullable(),
  decided_at: common.time.nullable(),
  reason: z.string().nullable(),
  expires_at: common.time,
  result: z.record(z.string(), z.unknown()).nullable(),
  error: z.record(z.string(), z.unknown()).nullable(),
  secret: z
    .object({
      status: z.enum(['waiting', 'shown', 'lapsed']),
      expires_at: common.time,
      detail: z.string().nullable().meta({ description: 'Why it could not be shown just now' }),
    })
    .nullable()
    .meta({ description: 'A secret that was created; shown once, to the requester, within 24 hours' }),
});

/** What a change would do to one node. */
export const planNode = z.object({
  instance_id: common.id,
  hostname: z.string(),
  changes: z.array(z.object({ op: z.enum(['set', 'remove']), key: z.string(), detail: z.string() })),
  changes_count: z.int(),
});
/** A field of the object of a change. */
const planField = z.object({ path: z.string(), before: z.unknown(), after: z.unknown() });
export const plan = z.object({
  revision: z
    .int()
    .optional()
    .meta({ description: 'Revision of the existing object that the plan was calculated at' }),
  fields: z
    .array(planField)
    .optional()
    .meta({ description: 'Fields of the existing object that would change, before and after' }),
  names: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'Names of the objects that fields refer to by id' }),
  nodes: z.array(planNode),
  node_count: z.int(),
  truncated: z.boolean(),
  notes: z
    .array(z.object({ code: z.string(), detail: z.string() }))
    .optional()
    .meta({ description: 'Reasons and warnings' }),
});
export type Plan = z.infer<typeof plan>;
