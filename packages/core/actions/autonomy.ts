// Policies and approvals: contract §7.
import { z } from 'zod';
import { approval, approvalStatus, policy, policyMode } from '../intent/autonomy.ts';
import * as common from '../intent/common.ts';
import { mutate, pageInput, pageOutput, read, revisedInput } from './define.ts';

const area = 'autonomy' as const;

export const autonomyActions = {
  listPolicies: read({
    area,
    name: 'system_list_policies',
    title: 'List policies',
    description: 'For each category of action: its mode and its default mode.',
    input: { ...pageInput },
    output: { policies: z.array(policy), ...pageOutput },
    columns: { policies: ['category', 'mode', 'default_mode', 'description'] },
    permission: 'system.policies.read',
    route: { method: 'GET', path: '/policies' },
    cli: { noun: 'policy', verb: 'list' },
  }),
  getPolicy: read({
    area,
    name: 'system_get_policy',
    title: 'Get a policy',
    description: 'One policy with its mode and its default.',
    input: { policy_id: common.id },
    output: { policy },
    permission: 'system.policies.read',
    subject: 'policy_id',
    route: { method: 'GET', path: '/policies/{policy_id}' },
    cli: { noun: 'policy', verb: 'get' },
  }),
  setPolicy: mutate({
    area,
    name: 'system_set_policy',
    title: 'Set a policy',
    description:
      'auto_approve runs the action, notify_and_proceed runs it and marks its event, require_approval waits for a decision, blocked refuses. mode null restores the default. The policy is named by its category or by its policy_id.',
    input: {
      category: common.line(100).optional(),
      policy_id: common.id.optional(),
      mode: policyMode.nullable(),
    },
    output: { policy },
    permission: 'system.policies.manage',
    category: 'system.policy_set',
    kind: 'update',
    needsPerson: 'always',
    subject: 'policy_id',
    route: { method: 'POST', path: '/policies' },
    alsoAt: [{ method: 'PATCH', path: '/policies/{policy_id}' }],
    cli: { noun: 'policy', verb: 'set' },
  }),
  listApprovals: read({
    area,
    name: 'system_list_approvals',
    title: 'List approvals',
    description: 'Pending and decided requests, newest first.',
    input: { ...pageInput, status: approvalStatus.optional() },
    output: { approvals: z.array(approval), ...pageOutput },
    columns: { approvals: ['id', 'status', 'summary', 'requested_by.name', 'expires_at'] },
    permission: 'system.approvals.read',
    route: { method: 'GET', path: '/approvals' },
    cli: { noun: 'approval', verb: 'list' },
  }),
  getApproval: read({
    area,
    name: 'system_get_approval',
    title: 'Get an approval',
    description:
      'One deferred operation: the request, who made it, its plan and its outcome. A secret that it created (a token, a bootstrap URL) is shown once, to its requester, within 24 hours of the decision; show_secret false reads the request without retrieving the secret. Over MCP it is never shown.',
    input: {
      approval_id: common.id,
      show_secret: z
        .boolean()
        .default(true)
        .meta({ description: 'Show the requester a secret that is shown once, if it was not shown yet' }),
    },
    output: { approval },
    permission: 'system.approvals.read',
    subject: 'approval_id',
    route: { method: 'GET', path: '/approvals/{approval_id}' },
    cli: { noun: 'approval', verb: 'get' },
  }),
  decideApproval: mutate({
    area,
    name: 'system_decide_approval',
    title: 'Decide an approval',
    description:
      'approve runs the operation now, with the permissions that its requester has now; reject closes it. A decision is final. An approval fails (409) and decides nothing when it would do something else to its object than the plan that system_get_approval last showed.',
    input: {
      approval_id: common.id,
      decision: z.enum(['approve', 'reject']),
      reason: common.description.optional(),
      ...revisedInput,
    },
    output: { approval },
    permission: 'system.approvals.decide',
    category: 'system.approval_decide',
    kind: 'update',
    needsPerson: 'only',
    defaultMode: 'auto_approve',
    revised: false,
    subject: 'approval_id',
    route: { method: 'POST', path: '/approvals/{approval_id}/decide' },
    cli: { noun: 'approval', verb: 'decide' },
  }),
} as const;
