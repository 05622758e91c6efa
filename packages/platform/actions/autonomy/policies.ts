// Handlers: policies. There is one for every category; its row is made when it is first looked at.
import { ProductError } from '@powernode/core/errors';
import { platformPermissions } from '@powernode/core/intent/account';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Selectable } from 'kysely';
import { refuseWithout } from '../../access/rights.ts';
import type { Database } from '../../store/tables.ts';
import { stored } from '../accounts/present.ts';
import { type ActionContext, checkRevision, type HandlersOf, type Input, notFound } from '../context.ts';
import { type CategoryFacts, categories } from '../gate/policies.ts';
import { pageOf } from '../paging.ts';

type PolicyRow = Selectable<Database['policies']>;

export const policyHandlers: HandlersOf<'listPolicies' | 'getPolicy' | 'setPolicy'> = {
  async listPolicies(context, input) {
    const { rows, answer } = pageOf(await policiesOf(context), input);
    return { policies: rows.map(showPolicy), ...answer };
  },

  async getPolicy(context, input) {
    const row = (await policiesOf(context)).find(({ id }) => id === input.policy_id);
    if (row === undefined) throw notFound('policy', input.policy_id);
    return { policy: showPolicy(row) };
  },

  async setPolicy(context, input) {
    const { id } = namedBy(input, await policiesOf(context));
    const before = await context.trx
      .selectFrom('policies')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    checkRevision(before, input);
    refuseUnfitLoosening(context, { before, mode: input.mode });
    const after = await context.trx
      .updateTable('policies')
      .set({ mode: input.mode, updated_at: context.now, revision: before.revision + 1 })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const policy = showPolicy(after);
    context.event('system.policy.set', { before: showPolicy(before), after: policy });
    return { policy };
  },
};

const strictness: readonly PolicyMode[] = [
  'auto_approve',
  'notify_and_proceed',
  'require_approval',
  'blocked',
];

/** Loosening approves in advance whatever is asked for later, so it needs what approving needs. */
function refuseUnfitLoosening(
  context: ActionContext,
  wanted: { readonly before: PolicyRow; readonly mode: PolicyMode | null },
): void {
  const facts = factsOf(wanted.before.category);
  const before = wanted.before.mode ?? facts.defaultMode;
  const after = wanted.mode ?? facts.defaultMode;
  if (strictness.indexOf(after) >= strictness.indexOf(before)) return;
  refuseWithout(context, 'system.approvals.decide');
  for (const permission of facts.permissions) {
    // An account's policy gives nobody the administration of the platform, and its owner must be able to undo it.
    if (!platformPermissions.includes(permission)) refuseWithout(context, permission);
  }
}

/** One for each category, in the order of the catalogue. */
async function policiesOf(context: ActionContext): Promise<PolicyRow[]> {
  let found = await rowsOf(context);
  const missing = [...categories.keys()].filter((category) => !found.has(category));
  if (missing.length > 0) {
    await context.trx
      .insertInto('policies')
      .values(
        missing.map((category) => ({
          id: context.services.newId(),
          account_id: context.accountId,
          category,
          mode: null,
          created_at: context.now,
          updated_at: context.now,
        })),
      )
      .onConflict((conflict) => conflict.columns(['account_id', 'category']).doNothing())
      .execute();
    found = await rowsOf(context);
  }
  return [...categories.keys()].flatMap((category) => found.get(category) ?? []);
}

async function rowsOf(context: ActionContext): Promise<Map<string, PolicyRow>> {
  const rows = await context.trx
    .selectFrom('policies')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .execute();
  return new Map(rows.map((row) => [row.category, row]));
}

function namedBy(input: Input<'setPolicy'>, rows: readonly PolicyRow[]): PolicyRow {
  const { category, policy_id: id } = input;
  if (category === undefined && id === undefined) {
    throw invalid('category', 'required', 'Give category or policy_id.');
  }
  const row = rows.find((one) => one.id === id || (id === undefined && one.category === category));
  if (row === undefined) {
    if (id !== undefined) throw notFound('policy', id);
    throw invalid(
      'category',
      'unknown_category',
      `There is no category "${category}". List them with system_list_policies.`,
    );
  }
  if (category !== undefined && category !== row.category) {
    throw invalid('category', 'mismatch', `The policy ${row.id} is of the category ${row.category}.`);
  }
  return row;
}

function invalid(path: string, code: string, message: string): ProductError {
  return new ProductError('validation_failed', message, { fields: [{ path, code, message }] });
}

function factsOf(category: string): CategoryFacts {
  const facts = categories.get(category);
  if (facts === undefined) throw new Error(`the category ${category} is unknown`);
  return facts;
}

function showPolicy(row: PolicyRow) {
  const facts = factsOf(row.category);
  return {
    ...stored(row),
    category: row.category,
    mode: row.mode ?? facts.defaultMode,
    default_mode: facts.defaultMode,
    is_default: row.mode === null,
    description: facts.titles.join('; '),
    actions: [...facts.actions],
  };
}
