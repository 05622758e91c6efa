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
  listTemplates: { name: 'system_list_templates', permission: 'system.instances.read', category: null },
  listProviderRegions: {
    name: 'system_list_provider_regions',
    permission: 'system.instances.read',
    category: null,
  },
  listInstanceTypes: {
    name: 'system_list_instance_types',
    permission: 'system.instances.read',
    category: null,
  },
  createInstance: {
    name: 'system_create_instance',
    permission: 'system.instances.manage',
    category: 'system.instance_create',
  },
  updateInstance: {
    name: 'system_update_instance',
    permission: 'system.instances.manage',
    category: 'system.instance_update',
  },
  terminateInstance: {
    name: 'system_terminate_instance',
    permission: 'system.instances.manage',
    category: 'system.instance_terminate',
  },
  drainInstance: {
    name: 'system_drain_instance',
    permission: 'system.instances.manage',
    category: 'system.instance_drain',
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
  createVirtualIp: {
    name: 'system_sdwan_create_virtual_ip',
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_create',
  },
  listVirtualIps: {
    name: 'system_sdwan_list_virtual_ips',
    permission: 'system.sdwan.virtual_ips.read',
    category: null,
  },
  getVirtualIp: {
    name: 'system_sdwan_get_virtual_ip',
    permission: 'system.sdwan.virtual_ips.read',
    category: null,
  },
  updateVirtualIp: {
    name: 'system_sdwan_update_virtual_ip',
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_update',
  },
  deleteVirtualIp: {
    name: 'system_sdwan_delete_virtual_ip',
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_delete',
  },
  failoverVirtualIp: {
    name: 'system_sdwan_failover_virtual_ip',
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_failover',
  },
  createPortMapping: {
    name: 'system_sdwan_create_port_mapping',
    permission: 'system.sdwan.port_mappings.manage',
    category: 'sdwan.port_mapping_create',
  },
  listPortMappings: {
    name: 'system_sdwan_list_port_mappings',
    permission: 'system.sdwan.port_mappings.read',
    category: null,
  },
  getPortMapping: {
    name: 'system_sdwan_get_port_mapping',
    permission: 'system.sdwan.port_mappings.read',
    category: null,
  },
  updatePortMapping: {
    name: 'system_sdwan_update_port_mapping',
    permission: 'system.sdwan.port_mappings.manage',
    category: 'sdwan.port_mapping_update',
  },
  deletePortMapping: {
    name: 'system_sdwan_delete_port_mapping',
    permission: 'system.sdwan.port_mappings.manage',
    category: 'sdwan.port_mapping_delete',
  },
  createFirewallRule: {
    name: 'system_sdwan_create_firewall_rule',
    permission: 'system.sdwan.firewall.manage',
    category: 'sdwan.firewall_rule_create',
  },
  listFirewallRules: {
    name: 'system_sdwan_list_firewall_rules',
    permission: 'system.sdwan.firewall.read',
    category: null,
  },
  getFirewallRule: {
    name: 'system_sdwan_get_firewall_rule',
    permission: 'system.sdwan.firewall.read',
    category: null,
  },
  updateFirewallRule: {
    name: 'system_sdwan_update_firewall_rule',
    permission: 'system.sdwan.firewall.manage',
    category: 'sdwan.firewall_rule_update',
  },
  deleteFirewallRule: {
    name: 'system_sdwan_delete_firewall_rule',
    permission: 'system.sdwan.firewall.manage',
    category: 'sdwan.firewall_rule_delete',
  },
  auditFirewall: {
    name: 'system_sdwan_audit_firewall',
    permission: 'system.sdwan.firewall.read',
    category: null,
  },
  explainReachability: {
    name: 'system_sdwan_explain_reachability',
    permission: 'system.sdwan.firewall.read',
    category: null,
  },
  getReachabilityMatrix: {
    name: 'system_sdwan_get_reachability_matrix',
    permission: 'system.sdwan.firewall.read',
    category: null,
  },
  createAccessGrant: {
    name: 'system_sdwan_create_access_grant',
    permission: 'system.sdwan.devices.manage',
    category: 'sdwan.access_grant_create',
  },
  listAccessGrants: {
    name: 'system_sdwan_list_access_grants',
    permission: 'system.sdwan.devices.read',
    category: null,
  },
  revokeAccessGrant: {
    name: 'system_sdwan_revoke_access_grant',
    permission: 'system.sdwan.devices.manage',
    category: 'sdwan.access_grant_revoke',
  },
  issueUserDevice: {
    name: 'system_sdwan_issue_user_device',
    permission: 'system.sdwan.devices.manage',
    category: 'sdwan.user_device_issue',
  },
  listUserDevices: {
    name: 'system_sdwan_list_user_devices',
    permission: 'system.sdwan.devices.read',
    category: null,
  },
  getUserDevice: {
    name: 'system_sdwan_get_user_device',
    permission: 'system.sdwan.devices.read',
    category: null,
  },
  updateUserDevice: {
    name: 'system_sdwan_update_user_device',
    permission: 'system.sdwan.devices.manage',
    category: 'sdwan.user_device_update',
  },
  revokeUserDevice: {
    name: 'system_sdwan_revoke_user_device',
    permission: 'system.sdwan.devices.manage',
    category: 'sdwan.user_device_revoke',
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
