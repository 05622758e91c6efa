// Every action bound to what it does. A definition without a handler does not compile.
import { accountHandlers } from './accounts/accounts.ts';
import { apiTokenHandlers } from './accounts/api-tokens.ts';
import { approvalHandlers, decideApproval } from './autonomy/approvals.ts';
import { policyHandlers } from './autonomy/policies.ts';
import type { Handlers } from './context.ts';
import { fleetHandlers } from './fleet/fleet.ts';
import { createRunDeferred } from './gate/run-deferred.ts';
import { networkHandlers } from './sdwan/networks.ts';
import { peerHandlers } from './sdwan/peers.ts';
import { getTopology } from './sdwan/topology.ts';

export const handlers: Handlers = {
  ...accountHandlers,
  ...apiTokenHandlers,
  ...fleetHandlers,
  ...networkHandlers,
  ...peerHandlers,
  getTopology,
  ...policyHandlers,
  ...approvalHandlers,
  decideApproval: decideApproval(createRunDeferred(() => handlers)),
};
