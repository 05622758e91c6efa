// Accounts, the operators in them, their roles (made of permissions) and their API tokens.
import { z } from 'zod';
import * as common from './common.ts';

/** Every permission, with what it lets one do. An action names exactly one of them. */
export const permissions = {
  'system.accounts.read': 'List the accounts of the platform',
  'system.accounts.manage': 'Create accounts of the platform',
  'system.operators.read': 'See the operators of the account',
  'system.operators.manage': 'Create, change and disable operators of the account',
  'system.api_tokens.read': 'See API tokens (never their secret)',
  'system.api_tokens.manage': 'Create and revoke API tokens',
  'system.instances.read': 'See the instances of the fleet',
  'system.instances.manage': 'Change and terminate instances',
  'system.join_tokens.read': 'See join tokens (never their secret)',
  'system.join_tokens.manage': 'Create and revoke join tokens',
  'system.sdwan.networks.read': 'See networks and their topology',
  'system.sdwan.networks.manage': 'Create, change and delete networks',
  'system.sdwan.peers.read': 'See peers',
  'system.sdwan.peers.manage': 'Attach, change, rotate and detach peers',
  'system.sdwan.virtual_ips.read': 'See virtual IPs',
  'system.sdwan.virtual_ips.manage': 'Create, change, move and delete virtual IPs',
  'system.sdwan.port_mappings.read': 'See port mappings',
  'system.sdwan.port_mappings.manage': 'Create, change and delete port mappings',
  'system.sdwan.firewall.read': 'See firewall rules, audit them and explain reachability',
  'system.sdwan.firewall.manage': 'Create, change and delete firewall rules',
  'system.sdwan.routing.read': 'See route policies and BGP sessions, audit and explain routes',
  'system.sdwan.routing.manage': 'Create, change and delete route policies; change the AS number',
  'system.sdwan.devices.read': 'See access grants and user devices',
  'system.sdwan.devices.manage': 'Create access grants; issue, change and revoke user devices',
  'system.policies.read': 'See policies',
  'system.policies.manage': 'Set policies',
  'system.approvals.read': 'See approvals',
  'system.approvals.decide': 'Approve and reject deferred operations',
  'system.operations.read': 'See what the platform does that takes long',
  'system.operations.manage': 'Cancel what the platform does that takes long',
  'system.events.read': 'Read events',
} as const;
export type Permission = keyof typeof permissions;
export const permissionNames = Object.keys(permissions) as [Permission, ...Permission[]];
export const permission = z.enum(permissionNames);

export const role = z.enum(['owner', 'admin', 'operator', 'viewer']);
export type Role = z.infer<typeof role>;

/** An operator changes, and gives, no role above its own. */
export const roleRank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2, owner: 3 };

/** Only the platform's administrators hold these, whatever their role. */
export const platformPermissions: readonly Permission[] = ['system.accounts.read', 'system.accounts.manage'];

const reading = permissionNames.filter(
  (name) => name.endsWith('.read') && !platformPermissions.includes(name),
);
const everyday: readonly Permission[] = [
  'system.join_tokens.manage',
  'system.instances.manage',
  'system.operations.manage',
  'system.sdwan.networks.manage',
  'system.sdwan.peers.manage',
  'system.sdwan.virtual_ips.manage',
  'system.sdwan.port_mappings.manage',
  'system.sdwan.firewall.manage',
  'system.sdwan.routing.manage',
  'system.sdwan.devices.manage',
  'system.api_tokens.manage',
];

/** What each role may do in its own account. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  owner: permissionNames.filter((name) => !platformPermissions.includes(name)),
  admin: permissionNames.filter((name) => !platformPermissions.includes(name)),
  operator: [...reading, ...everyday],
  viewer: reading,
};

export const account = z.object({
  ...common.base,
  account_id: common.id.meta({ description: 'Its own' }),
  name: common.name,
  pool_prefix: z.string().meta({ description: 'The /48 from which its networks get their prefixes' }),
});

export const operator = z.object({
  ...common.base,
  name: common.name,
  role,
  platform_admin: z.boolean(),
  disabled: z.boolean(),
  disabled_at: common.time.nullable(),
});

export const apiToken = z.object({
  ...common.base,
  operator_id: common.id,
  created_by: common.id.nullable().meta({
    description: 'The operator that created it, and with which it is disabled; null: the platform itself',
  }),
  created_with: common.id.nullable().meta({ description: 'The token that its creator used' }),
  name: common.name,
  permissions: z.array(permission).nullable().meta({ description: 'null: all permissions of its operator' }),
  for_model: z.boolean().meta({
    description: 'Limited on every surface to what a model may do over MCP; cannot decide approvals',
  }),
  expires_at: common.time.nullable(),
  last_used_at: common.time.nullable(),
  status: z.enum(['active', 'expired', 'revoked']),
});

export const apiTokenOnce = apiToken.extend({ token: z.string().meta({ description: 'Shown once' }) });
