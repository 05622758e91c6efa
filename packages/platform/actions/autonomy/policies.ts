// Handlers: policies.
import { ProductError } from '@powernode/core/errors';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { ActionContext, HandlersOf } from '../context.ts';
import { categories } from '../gate/policies.ts';

interface SetPolicy {
  readonly mode: PolicyMode;
  readonly updated_at: Date;
}

export const policyHandlers: HandlersOf<'listPolicies' | 'setPolicy'> = {
  async listPolicies(context, input) {
    const set = await policiesSet(context);
    const all = [...categories.keys()].map((category) => showPolicy(category, set.get(category)));
    const from = input.cursor === undefined ? 0 : offsetOf(input.cursor, all.length);
    const policies = all.slice(from, from + input.limit);
    const end = from + policies.length;
    return {
      policies,
      count: policies.length,
      has_more: end < all.length,
      next_cursor: end < all.length ? Buffer.from(`p:${end}`).toString('base64url') : null,
    };
  },

  async setPolicy(context, input) {
    if (!categories.has(input.category)) {
      throw new ProductError(
        'validation_failed',
        `There is no category "${input.category}". system_list_policies lists them.`,
        { fields: [{ path: 'category', code: 'unknown_category', message: 'is not a category of actions' }] },
      );
    }
    const before = showPolicy(input.category, (await policiesSet(context)).get(input.category));
    const of = { account_id: context.accountId, category: input.category };
    if (input.mode === null) {
      await context.trx
        .deleteFrom('policies')
        .where('account_id', '=', of.account_id)
        .where('category', '=', of.category)
        .execute();
    } else {
      const values = { mode: input.mode, updated_at: context.now };
      await context.trx
        .insertInto('policies')
        .values({ ...of, ...values })
        .onConflict((conflict) => conflict.columns(['account_id', 'category']).doUpdateSet(values))
        .execute();
    }
    const policy = showPolicy(input.category, (await policiesSet(context)).get(input.category));
    context.event('system.policy.set', { before, after: policy });
    return { policy };
  },
};

async function policiesSet(context: ActionContext): Promise<Map<string, SetPolicy>> {
  const rows = await context.trx
    .selectFrom('policies')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .execute();
  return new Map(rows.map((row) => [row.category, row]));
}

function showPolicy(category: string, set: SetPolicy | undefined) {
  const facts = categories.get(category);
  if (facts === undefined) throw new Error(`the category ${category} is unknown`);
  return {
    category,
    mode: set?.mode ?? facts.defaultMode,
    default_mode: facts.defaultMode,
    description: facts.titles.join('; '),
    actions: [...facts.actions],
    updated_at: set?.updated_at.toISOString() ?? null,
  };
}

function offsetOf(cursor: string, length: number): number {
  const match = /^p:(\d{1,6})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const offset = Number(match?.[1]);
  if (match !== null && offset <= length) return offset;
  throw new ProductError('validation_failed', 'The cursor is not one of this list. Start without a cursor.', {
    fields: [{ path: 'cursor', code: 'invalid_cursor', message: 'must be a next_cursor of the same list' }],
  });
}
