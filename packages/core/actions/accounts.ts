// Accounts, operators and API tokens: contract §3.
import { z } from 'zod';
import { account, apiToken, apiTokenOnce, operator, permission, role } from '../intent/account.ts';
import * as common from '../intent/common.ts';
import { apiTokenSecondsMax } from '../limits/trust.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'accounts' as const;

export const accountActions = {
  whoami: read({
    area,
    name: 'system_whoami',
    title: 'Who am I',
    description: 'The operator that the token belongs to, its account and its permissions.',
    input: {},
    output: { operator, account, permissions: z.array(permission) },
    permission: null,
    route: { method: 'GET', path: '/whoami' },
    cli: { noun: 'whoami', verb: 'show' },
  }),
  createAccount: mutate({
    area,
    name: 'system_create_account',
    title: 'Create an account',
    description:
      'Creates an account with its own address pool. For platform administrators. Create its first operator with system_create_operator and account_id.',
    input: { name: common.name },
    output: { account },
    permission: 'system.accounts.manage',
    category: 'system.account_create',
    kind: 'create',
    needsPerson: 'always',
    route: { method: 'POST', path: '/accounts' },
    cli: { noun: 'account', verb: 'create' },
  }),
  listAccounts: read({
    area,
    name: 'system_list_accounts',
    title: 'List accounts',
    description: 'The accounts of this platform. For platform administrators.',
    input: { ...pageInput },
    output: { accounts: z.array(account), ...pageOutput },
    permission: 'system.accounts.read',
    route: { method: 'GET', path: '/accounts' },
    cli: { noun: 'account', verb: 'list' },
  }),
  createOperator: mutate({
    area,
    name: 'system_create_operator',
    title: 'Create an operator',
    description:
      'Adds a person or a program to the account. It has no token yet: create one with system_create_api_token and operator_id. account_id is for platform administrators. You cannot assign a role above your own, or one with permissions that your token lacks.',
    input: { account_id: common.id.optional(), name: common.name, role },
    output: { operator },
    permission: 'system.operators.manage',
    category: 'system.operator_create',
    kind: 'create',
    needsPerson: 'always',
    route: { method: 'POST', path: '/operators' },
    cli: { noun: 'operator', verb: 'create' },
  }),
  listOperators: read({
    area,
    name: 'system_list_operators',
    title: 'List operators',
    description: 'The operators of the account, including disabled ones.',
    input: { ...pageInput, account_id: common.id.optional(), role: role.optional() },
    output: { operators: z.array(operator), ...pageOutput },
    permission: 'system.operators.read',
    route: { method: 'GET', path: '/operators' },
    cli: { noun: 'operator', verb: 'list' },
  }),
  updateOperator: mutate({
    area,
    name: 'system_update_operator',
    title: 'Change an operator',
    description:
      'Changes the name or the role, or enables a disabled operator. The last owner of an account keeps its role. You cannot change an operator whose role is above your own. account_id is for platform administrators.',
    input: {
      operator_id: common.id,
      account_id: common.id.optional(),
      name: common.name.optional(),
      role: role.optional(),
      disabled: z.boolean().optional(),
    },
    output: { operator },
    permission: 'system.operators.manage',
    category: 'system.operator_update',
    kind: 'update',
    // The name too: it is what people know whoever asks by.
    needsPerson: 'always',
    subject: 'operator_id',
    route: { method: 'PATCH', path: '/operators/{operator_id}' },
    cli: { noun: 'operator', verb: 'update' },
  }),
  disableOperator: mutate({
    area,
    name: 'system_disable_operator',
    title: 'Disable an operator',
    description:
      'Its tokens, and tokens that it created, stop working at once; unused join tokens and access grants that it created are revoked permanently. Undo with system_update_operator and disabled false.',
    input: { operator_id: common.id, account_id: common.id.optional() },
    output: { operator },
    permission: 'system.operators.manage',
    category: 'system.operator_disable',
    kind: 'destroy',
    revised: true,
    defaultMode: 'notify_and_proceed',
    subject: 'operator_id',
    route: { method: 'POST', path: '/operators/{operator_id}/disable' },
    cli: { noun: 'operator', verb: 'disable' },
  }),
  createApiToken: mutate({
    area,
    name: 'system_create_api_token',
    title: 'Create an API token',
    description:
      'The token is shown once and stored only as a digest. Without operator_id it belongs to the caller. It never has more permissions than its operator, its creator and the token in use, and stops working when one of these is disabled. You cannot create one for an operator whose role is above your own, with a permission that your token lacks, or that outlives your token. account_id is for platform administrators.',
    input: {
      account_id: common.id.optional(),
      operator_id: common.id.optional(),
      name: common.name,
      permissions: z.array(permission).max(100).optional(),
      for_model: z.boolean().default(false).meta({
        description:
          'For a program driven by an AI model: its requests have the same limits as requests over MCP, on every surface, and it cannot decide approvals',
      }),
      expires_in_seconds: z.int().min(1).max(apiTokenSecondsMax).optional(),
    },
    output: { api_token: apiTokenOnce },
    permission: 'system.api_tokens.manage',
    category: 'system.api_token_create',
    kind: 'create',
    needsPerson: 'always',
    makesSecret: true,
    route: { method: 'POST', path: '/api_tokens' },
    cli: { noun: 'api-token', verb: 'create' },
  }),
  listApiTokens: read({
    area,
    name: 'system_list_api_tokens',
    title: 'List API tokens',
    description:
      'The tokens of the account, without their secrets. account_id is for platform administrators.',
    input: { ...pageInput, account_id: common.id.optional(), operator_id: common.id.optional() },
    output: { api_tokens: z.array(apiToken), ...pageOutput },
    permission: 'system.api_tokens.read',
    route: { method: 'GET', path: '/api_tokens' },
    cli: { noun: 'api-token', verb: 'list' },
  }),
  revokeApiToken: mutate({
    area,
    name: 'system_revoke_api_token',
    title: 'Revoke an API token',
    description:
      'The token stops working at once, and its open event streams close. Objects created with it stay (created_with). You cannot revoke a token of an operator whose role is above your own, unless you created it. account_id is for platform administrators.',
    input: { api_token_id: common.id, account_id: common.id.optional() },
    output: { api_token: apiToken },
    permission: 'system.api_tokens.manage',
    category: 'system.api_token_revoke',
    kind: 'destroy',
    subject: 'api_token_id',
    route: { method: 'POST', path: '/api_tokens/{api_token_id}/revoke' },
    alsoAt: [{ method: 'DELETE', path: '/api_tokens/{api_token_id}' }],
    cli: { noun: 'api-token', verb: 'revoke' },
  }),
} as const;
