// Every action bound to what it does: those of nouns, and those that are of none. A definition without a handler does not
// compile.
import { approvalHandlers, decideApproval } from './autonomy/approvals.ts';
import { findingHandlers } from './autonomy/findings.ts';
import { skillHandlers } from './autonomy/skills/skills.ts';
import type { Handlers } from './context.ts';
import { listChanges } from './fleet/changes.ts';
import { provisioningHandlers } from './fleet/provision.ts';
import { createRenewShown } from './gate/renew-shown.ts';
import { createRunDeferred } from './gate/run-deferred.ts';
import { nounHandlers } from './nouns.ts';
import { productOperations } from './operation-kinds.ts';
import { operationHandlers } from './operations.ts';

export const handlers: Handlers = {
  ...nounHandlers,
  listChanges,
  ...provisioningHandlers,
  ...operationHandlers(productOperations),
  ...approvalHandlers(createRenewShown(() => handlers)),
  ...skillHandlers,
  ...findingHandlers,
  decideApproval: decideApproval(createRunDeferred(() => handlers)),
};
