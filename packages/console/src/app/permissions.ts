// What the one who is signed in may do, and what a policy will make of it.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { actionFacts } from '../api/actions.ts';
import { useWhoami } from './use-one.ts';
import { useRows } from './use-rows.ts';

/** Until it is known who is signed in, nothing is allowed. */
export function usePermissions(): ReadonlySet<Permission> {
  const { data } = useWhoami();
  return new Set(data?.permissions ?? []);
}

export function useMay(key: ActionKey): boolean {
  const permissions = usePermissions();
  const { permission } = actionFacts[key];
  return permission === null || permissions.has(permission);
}

/** The mode of the policy that gates an action; null while or when that cannot be known. */
export function usePolicyMode(key: ActionKey): PolicyMode | null {
  const { category } = actionFacts[key];
  const enabled = useMay('listPolicies') && category !== null;
  const { rows } = useRows('listPolicies', {}, { enabled });
  return rows.find((policy) => policy.category === category)?.mode ?? null;
}
