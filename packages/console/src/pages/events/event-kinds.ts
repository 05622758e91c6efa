// The beginnings of event kinds that one asks for, in words.
export const kindPrefixes: readonly { readonly value: string; readonly text: string }[] = [
  { value: 'sdwan.network.', text: 'Networks' },
  { value: 'sdwan.peer.', text: 'Peers' },
  { value: 'sdwan.virtual_ip.', text: 'Virtual IPs' },
  { value: 'sdwan.firewall_rule.', text: 'Firewall rules' },
  { value: 'sdwan.port_mapping.', text: 'Port mappings' },
  { value: 'sdwan.user_device.', text: 'Devices' },
  { value: 'sdwan.access_grant.', text: 'Access grants' },
  { value: 'system.instance.', text: 'Instances' },
  { value: 'system.join_token.', text: 'Join tokens' },
  { value: 'system.approval.', text: 'Approvals' },
  { value: 'system.policy.', text: 'Policies' },
  { value: 'system.operator.', text: 'Operators' },
  { value: 'system.api_token.', text: 'API tokens' },
];
