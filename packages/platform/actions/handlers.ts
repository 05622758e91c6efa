// Every action bound to what it does. A definition without a handler does not compile.
import { accountHandlers } from './accounts/accounts.ts';
import { apiTokenHandlers } from './accounts/api-tokens.ts';
import { approvalHandlers, decideApproval } from './autonomy/approvals.ts';
import { policyHandlers } from './autonomy/policies.ts';
import type { Handlers } from './context.ts';
import { listChanges } from './fleet/changes.ts';
import { drainInstance } from './fleet/drain.ts';
import { fleetHandlers } from './fleet/fleet.ts';
import { provisioningHandlers } from './fleet/provision.ts';
import { retryRolledBack } from './fleet/retry-rolled-back.ts';
import { createRunDeferred } from './gate/run-deferred.ts';
import { productOperations } from './operation-kinds.ts';
import { operationHandlers } from './operations.ts';
import { accessGrantHandlers } from './sdwan/devices/access-grants.ts';
import { userDeviceHandlers } from './sdwan/devices/user-devices.ts';
import { auditFirewall } from './sdwan/firewall/audit.ts';
import { explainReachability } from './sdwan/firewall/explain.ts';
import { getReachabilityMatrix } from './sdwan/firewall/matrix.ts';
import { firewallRuleHandlers } from './sdwan/firewall/rules.ts';
import { networkHandlers } from './sdwan/networks/networks.ts';
import { peerHandlers } from './sdwan/peers/peers.ts';
import { changePeerRole } from './sdwan/peers/role-change.ts';
import { portMappingHandlers } from './sdwan/port-mappings/port-mappings.ts';
import { getTopology } from './sdwan/reachability/topology.ts';
import { failoverVirtualIp } from './sdwan/virtual-ips/failover.ts';
import { virtualIpHandlers } from './sdwan/virtual-ips/virtual-ips.ts';

export const handlers: Handlers = {
  ...accountHandlers,
  ...apiTokenHandlers,
  ...fleetHandlers,
  listChanges,
  ...provisioningHandlers,
  ...operationHandlers(productOperations),
  drainInstance,
  retryRolledBack,
  ...networkHandlers,
  ...peerHandlers,
  changePeerRole,
  ...virtualIpHandlers,
  failoverVirtualIp,
  ...portMappingHandlers,
  ...accessGrantHandlers,
  ...userDeviceHandlers,
  ...firewallRuleHandlers,
  auditFirewall,
  explainReachability,
  getReachabilityMatrix,
  getTopology,
  ...policyHandlers,
  ...approvalHandlers,
  decideApproval: decideApproval(createRunDeferred(() => handlers)),
};
