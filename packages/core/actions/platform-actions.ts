// What the platform changes by itself: the `action` of such a change, with words for people.

export const platformActions = {
  virtual_ip_failover: 'A virtual IP moved',
  agent_leave: 'An instance left the fleet',
  bootstrap_device: 'A device was added by its bootstrap page',
  operation_step: 'An operation made progress',
  periodic_audit: 'Route policies and firewall rules were audited',
  observed_endpoint: 'The public address of an instance changed',
  observed_direct_endpoint: 'The direct endpoint of a spoke changed',
} as const;

export type PlatformAction = keyof typeof platformActions;
