// Which policy holds for a category of action: the account's own, or the default of the actions in it.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';
import { type PolicyMode, sensorCategories } from '@powernode/core/intent/autonomy';
import type { Trx } from '../context.ts';
import type { Caller } from '../invoke-types.ts';

export interface CategoryFacts {
  readonly defaultMode: PolicyMode;
  readonly actions: readonly string[];
  readonly titles: readonly string[];
  /** Of its actions. */
  readonly permissions: ReadonlySet<Permission>;
}

/** All categories of the product: in the order of the catalogue, then what sensors ask for. */
export const categories: ReadonlyMap<string, CategoryFacts> = collect();

interface CollectedFacts extends CategoryFacts {
  readonly actions: string[];
  readonly titles: string[];
  readonly permissions: Set<Permission>;
}

function newFacts(defaultMode: PolicyMode): CollectedFacts {
  return { defaultMode, actions: [], titles: [], permissions: new Set() };
}

function collect(): Map<string, CategoryFacts> {
  const found = new Map<string, CollectedFacts>();
  for (const key of actionKeys) {
    const { category, name, title, permission } = definitionOf(key);
    if (category === null) continue;
    const facts = found.get(category.name) ?? newFacts(category.defaultMode);
    facts.actions.push(name);
    facts.titles.push(title);
    if (permission !== null) facts.permissions.add(permission);
    found.set(category.name, facts);
  }
  for (const { name, defaultMode, description } of sensorCategories) {
    const facts = newFacts(defaultMode);
    facts.titles.push(description);
    found.set(name, facts);
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

/** What undoes any other policy. */
const undoing: ReadonlySet<string> = new Set(['system.policy_set', 'system.approval_decide']);

/** No policy keeps an owner from what undoes it: what would wait or be refused is done, and its event is marked. */
export function modeForOwners(
  mode: PolicyMode | null,
  of: { readonly caller: Pick<Caller, 'role'>; readonly category: string | undefined },
): PolicyMode | null {
  const isHeld = mode === 'blocked' || mode === 'require_approval';
  const mayUndo = of.caller.role === 'owner' && undoing.has(of.category ?? '');
  return isHeld && mayUndo ? 'notify_and_proceed' : mode;
}
