// The actions that the console calls: the three facts it needs of each at run time. Everything else about an action
// is only a type here, so that no schema library is sent to the browser. A test holds this table to the definitions.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';

export interface ActionFacts {
  /** The public name, which is the last part of its address. */
  readonly name: string;
  /** null: any signed-in operator. */
  readonly permission: Permission | null;
  /** Which policy gates it; null: it only reads. */
  readonly category: string | null;
}

export const actionFacts = {
  whoami: { name: 'system_whoami', permission: null, category: null },
  createAccount: {
    name: 'system_create_account',
    permission: 'system.accounts.manage',
    category: 'system.account_create',
  },
  listAccounts: { name: 'system_list_accounts', permission: 'system.accounts.read', category: null },
  createOperator: {
    name: 'system_create_operator',
    permission: 'system.operators.manage',
    category: 'system.operator_create',
  },
  listOperators: { name: 'system_list_operators', permission: 'system.operators.read', category: null },
  updateOperator: {
    name: 'system_update_operator',
    permission: 'system.operators.manage',
    category: 'system.operator_update',
  },
  disableOperator: {
    name: 'system_disable_operator',
    permission: 'system.operators.manage',
    category: 'system.operator_disable',
  },
  createApiToken: {
    name: 'system_create_api_token',
    permission: 'system.api_tokens.manage',
    category: 'system.api_token_create',
  },
  listApiTokens: { name: 'system_list_api_tokens', permission: 'system.api_tokens.read', category: null },
  revokeApiToken: {
    name: 'system_revoke_api_token',
    permission: 'system.api_tokens.manage',
    category: 'system.api_token_revoke',
  },
  createJoinToken: {
    name: 'system_create_join_token',
    permission: 'system.join_tokens.manage',
    category: 'system.join_token_create',
  },
  listJoinTokens: { name: 'system_list_join_tokens', permission: 'system.join_tokens.read', category: null },
  revokeJoinToken: {
    name: 'system_revoke_join_token',
    permission: 'system.join_tokens.manage',
    category: 'system.join_token_revoke',
  },
  listInstances: { name: 'system_list_instances', permission: 'system.instances.read', category: null },
  getInstance: { name: 'system_get_instance', permission: 'system.instances.read', category: null },
  terminateInstance: {
    name: 'system_terminate_instance',
    permission: 'system.instances.manage',
    category: 'system.instance_terminate',
  },
  recentEvents: { name: 'recent_events', permission: 'system.events.read', category: null },
  createNetwork: {
    name: 'system_sdwan_create_network',
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_create',
  },
  listNetworks: {
    name: 'system_sdwan_list_networks',
    permission: 'system.sdwan.networks.read',
    category: null,
  },
  getNetwork: { name: 'system_sdwan_get_network', permission: 'system.sdwan.networks.read', category: null },
  updateNetwork: {
    name: 'system_sdwan_update_network',
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_update',
  },
  deleteNetwork: {
    name: 'system_sdwan_delete_network',
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_delete',
  },
  attachPeer: {
    name: 'system_sdwan_attach_peer',
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_attach',
  },
  listPeers: { name: 'system_sdwan_list_peers', permission: 'system.sdwan.peers.read', category: null },
  getPeer: { name: 'system_sdwan_get_peer', permission: 'system.sdwan.peers.read', category: null },
  updatePeer: {
    name: 'system_sdwan_update_peer',
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_update',
  },
  rotatePeerKey: {
    name: 'system_sdwan_rotate_peer_key',
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_rotate_key',
  },
  detachPeer: {
    name: 'system_sdwan_detach_peer',
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_detach',
  },
  getTopology: {
    name: 'system_sdwan_get_topology',
    permission: 'system.sdwan.networks.read',
    category: null,
  },
  listPolicies: { name: 'system_list_policies', permission: 'system.policies.read', category: null },
  setPolicy: {
    name: 'system_set_policy',
    permission: 'system.policies.manage',
    category: 'system.policy_set',
  },
  listApprovals: { name: 'system_list_approvals', permission: 'system.approvals.read', category: null },
  getApproval: { name: 'system_get_approval', permission: 'system.approvals.read', category: null },
  decideApproval: {
    name: 'system_decide_approval',
    permission: 'system.approvals.decide',
    category: 'system.approval_decide',
  },
} as const satisfies Partial<Record<ActionKey, ActionFacts>>;

export type ConsoleAction = keyof typeof actionFacts;
