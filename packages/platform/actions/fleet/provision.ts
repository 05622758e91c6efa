// Handlers: what providers offer, and a machine of the fleet before it exists.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/trust';
import {
  instanceTypes,
  type Offered,
  providerOf,
  providerRegions,
  templates,
} from '../../providers/offers.ts';
import { stored } from '../accounts/present.ts';
import type { ActionContext, HandlersOf } from '../context.ts';
import { pageOf } from '../paging.ts';
import { makeJoinToken } from './join-token.ts';
import { showInstance } from './present.ts';

export const provisioningHandlers: HandlersOf<
  'listTemplates' | 'listProviderRegions' | 'listInstanceTypes' | 'createInstance'
> = {
  async listTemplates(context, input) {
    const { rows, answer } = pageOf(templates, input);
    return { templates: await shown(context, rows), ...answer };
  },

  async listProviderRegions(context, input) {
    const { rows, answer } = pageOf(providerRegions, input);
    return { provider_regions: await shown(context, rows), ...answer };
  },

  async listInstanceTypes(context, input) {
    const { rows, answer } = pageOf(instanceTypes, input);
    return { instance_types: await shown(context, rows), ...answer };
  },

  async createInstance(context, input) {
    await context.lock();
    const provider = providerOf(input);
    await refuseTooMany(context);
    const row = await context.trx
      .insertInto('instances')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        hostname: input.hostname,
        status: 'pending',
        provider,
        tags: JSON.stringify(input.tags ?? []),
        addresses: JSON.stringify([]),
        subsystems: JSON.stringify([]),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const joinToken = await makeJoinToken(context, {
      nameHint: row.hostname,
      tags: row.tags,
      expiresInSeconds: input.expires_in_seconds,
      instanceId: row.id,
    });
    const instance = await showInstance(context, row);
    context.event('system.instance.created', { before: null, after: instance });
    return { instance, join_token: joinToken };
  },
};

async function refuseTooMany(context: ActionContext): Promise<void> {
  const { waiting } = await context.trx
    .selectFrom('instances')
    .select((eb) => eb.fn.countAll<number>().as('waiting'))
    .where('account_id', '=', context.accountId)
    .where('status', '=', 'pending')
    .executeTakeFirstOrThrow();
  if (waiting < limits.pendingInstancesMax) return;
  throw new ProductError(
    'limit_reached',
    `${waiting} instances are pending already, which is the limit. Let them join, or terminate some.`,
  );
}

/** Offers belong to the platform; each account sees them as its own, from its beginning. */
async function shown(context: ActionContext, offers: readonly Offered[]) {
  const account = await context.trx
    .selectFrom('accounts')
    .select('created_at')
    .where('id', '=', context.accountId)
    .executeTakeFirstOrThrow();
  const { created_at } = account;
  const base = { account_id: context.accountId, created_at, updated_at: created_at, revision: 1 };
  return offers.map((offer) => ({ ...offer, ...stored({ ...base, id: offer.id }) }));
}
