// What happens when a sensor finds the holder of a virtual IP dead: the account's policy for it.

import type { AccountId } from '@powernode/core/ids';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { sensorCategories } from '@powernode/core/intent/autonomy';
import type { Trx } from '../../actions/context.ts';
import { policyMode } from '../../actions/gate/policies.ts';

export const failoverCategory = 'system.sdwan_vip_failover';

export function defaultFailoverMode(): PolicyMode {
  const category = sensorCategories.find(({ name }) => name === failoverCategory);
  if (category === undefined) throw new Error(`there is no category ${failoverCategory}`);
  return category.defaultMode;
}

export function failoverMode(trx: Trx, accountId: AccountId): Promise<PolicyMode> {
  return policyMode(trx, { accountId, category: failoverCategory, defaultMode: defaultFailoverMode() });
}

/** Of all accounts that have set one. */
export async function failoverModes(trx: Trx): Promise<Map<string, PolicyMode>> {
  const rows = await trx
    .selectFrom('policies')
    .select(['account_id', 'mode'])
    .where('category', '=', failoverCategory)
    .execute();
  return new Map(rows.flatMap((row) => (row.mode === null ? [] : [[row.account_id, row.mode]])));
}
