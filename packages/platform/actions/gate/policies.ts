// Which policy holds for a category of action: the account's own, or the default of the actions in it.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { type PolicyMode, sensorCategories } from '@powernode/core/intent/autonomy';
import type { Trx } from '../context.ts';

export interface CategoryFacts {
  readonly defaultMode: PolicyMode;
  readonly actions: readonly string[];
  readonly titles: readonly string[];
}

/** All categories of the product: in the order of the catalogue, then what sensors ask for. */
export const categories: ReadonlyMap<string, CategoryFacts> = collect();

function collect(): Map<string, CategoryFacts> {
  const found = new Map<string, { defaultMode: PolicyMode; actions: string[]; titles: string[] }>();
  for (const key of actionKeys) {
    const { category, name, title } = definitionOf(key);
    if (category === null) continue;
    const facts = found.get(category.name) ?? { defaultMode: category.defaultMode, actions: [], titles: [] };
    facts.actions.push(name);
    facts.titles.push(title);
    found.set(category.name, facts);
  }
  for (const { name, defaultMode, description } of sensorCategories) {
    found.set(name, { defaultMode, actions: [], titles: [description] });
  }
  return found;
}

export async function policyMode(
  trx: Trx,
  of: { readonly accountId: string; readonly category: string; readonly defaultMode: PolicyMode },
): Promise<PolicyMode> {
  const row = await trx
    .selectFrom('policies')
    .select('mode')
    .where('account_id', '=', of.accountId)
    .where('category', '=', of.category)
    .executeTakeFirst();
  return row?.mode ?? of.defaultMode;
}
