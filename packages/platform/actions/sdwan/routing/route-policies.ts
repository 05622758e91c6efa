// Handlers: route policies.
import { ProductError } from '@powernode/core/errors';
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { policiesPerNetworkMax } from '@powernode/core/limits/routing';
import { stored } from '../../accounts/present.ts';
import { type ActionContext, checkRevision, type HandlersOf, notFound } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { itemChanged } from '../item-changed.ts';
import { networkRow } from '../rows.ts';
import { refuseUnfitStatements, warnOf } from './checks.ts';
import { type RoutePolicyRow, routePolicyModel } from './model.ts';
import { routingFacts } from './routing-facts.ts';

export const routePolicyHandlers: HandlersOf<
  'createRoutePolicy' | 'listRoutePolicies' | 'getRoutePolicy' | 'updateRoutePolicy' | 'deleteRoutePolicy'
> = {
  async createRoutePolicy(context, input) {
    await context.lock();
    const network = await networkRow(context, input.network_id);
    const facts = await routingFacts(context, network.id);
    refuseUnfitStatements(input.statements, facts);
    refuseTooMany(facts.rows);
    refuseNameTaken(facts.rows, input.name);
    const row = await context.trx
      .insertInto('route_policies')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        network_id: network.id,
        name: input.name,
        direction: input.direction,
        statements: JSON.stringify(input.statements),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, routePolicyModel, { before: null, after: row });
    const policy = showRoutePolicy(row);
    context.event('sdwan.route_policy.created', { before: null, after: policy });
    return { route_policy: policy, warnings: await warnOf(context, network, row.id) };
  },

  async listRoutePolicies(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    let query = context.trx
      .selectFrom('route_policies')
      .selectAll()
      .where('account_id', '=', context.accountId);
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.direction !== undefined) query = query.where('direction', '=', input.direction);
    if (input.name !== undefined) query = query.where('name', '=', input.name);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { route_policies: found.rows.map(showRoutePolicy), ...pageAnswer(found) };
  },

  async getRoutePolicy(context, input) {
    return { route_policy: showRoutePolicy(await policyRow(context, input.route_policy_id)) };
  },

  async updateRoutePolicy(context, input) {
    await context.lock();
    const before = await policyRow(context, input.route_policy_id);
    checkRevision(before, input);
    const network = await networkRow(context, before.network_id);
    const facts = await routingFacts(context, network.id);
    if (input.statements !== undefined) refuseUnfitStatements(input.statements, facts);
    const others = facts.rows.filter(({ id }) => id !== before.id);
    if (input.name !== undefined) refuseNameTaken(others, input.name);
    const after = await context.trx
      .updateTable('route_policies')
      .set({
        name: input.name ?? before.name,
        direction: input.direction ?? before.direction,
        statements: JSON.stringify(input.statements ?? before.statements),
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, routePolicyModel, { before, after });
    const policy = showRoutePolicy(after);
    context.event('sdwan.route_policy.updated', { before: showRoutePolicy(before), after: policy });
    return { route_policy: policy, warnings: await warnOf(context, network, after.id) };
  },

  async deleteRoutePolicy(context, input) {
    await context.lock();
    const before = await policyRow(context, input.route_policy_id);
    checkRevision(before, input);
    await context.trx.deleteFrom('route_policies').where('id', '=', before.id).execute();
    itemChanged(context, routePolicyModel, { before, after: null });
    const policy = showRoutePolicy(before);
    context.event('sdwan.route_policy.deleted', { before: policy, after: null });
    return { route_policy: policy };
  },
};

function showRoutePolicy(row: RoutePolicyRow): RoutePolicy {
  const { network_id, name, direction, statements } = row;
  return { ...stored(row), network_id, name, direction, statements };
}

export async function policyRow(context: ActionContext, id: string): Promise<RoutePolicyRow> {
  const row = await context.trx
    .selectFrom('route_policies')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('route policy', id);
  return row;
}

function refuseTooMany(rows: readonly RoutePolicyRow[]): void {
  if (rows.length < policiesPerNetworkMax) return;
  throw new ProductError(
    'limit_reached',
    `The network has ${rows.length} route policies, which is the limit. Put statements together in one policy, or delete what the audit finds (network audit-route-policies).`,
  );
}

function refuseNameTaken(others: readonly RoutePolicyRow[], name: string): void {
  if (others.every((other) => other.name !== name)) return;
  throw new ProductError('already_exists', `The network already has a route policy named "${name}".`, {
    fields: [{ path: 'name', code: 'already_exists', message: 'must be unique in the network' }],
  });
}
