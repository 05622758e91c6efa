// Handlers: what providers offer, and a machine of the fleet before it exists.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits';
import { instanceTypes, type Offer, providerOf, providerRegions, templates } from '../../providers/offers.ts';
import { notShownOnDryRun } from '../accounts/api-tokens.ts';
import { stored } from '../accounts/present.ts';
import type { ActionContext, HandlersOf } from '../context.ts';
import { showInstance, showJoinToken } from './present.ts';

export const provisioningHandlers: HandlersOf<
  'listTemplates' | 'listProviderRegions' | 'listInstanceTypes' | 'createInstance'
> = {
  async listTemplates(context) {
    return { templates: await shown(context, templates), ...wholePage(templates) };
  },

  async listProviderRegions(context) {
    return { provider_regions: await shown(context, providerRegions), ...wholePage(providerRegions) };
  },

  async listInstanceTypes(context) {
    return { instance_types: await shown(context, instanceTypes), ...wholePage(instanceTypes) };
  },

  async createInstance(context, input) {
    await context.lock();
    const provider = providerOf(input);
    await refuseTooMany(context);
    const tags = JSON.stringify(input.tags ?? []);
    const row = await context.trx
      .insertInto('instances')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        hostname: input.hostname,
        status: 'pending',
        provider,
        tags,
        addresses: JSON.stringify([]),
        subsystems: JSON.stringify([]),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const { token, digest } = context.services.newJoinToken();
    const tokenRow = await context.trx
      .insertInto('join_tokens')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        digest,
        name_hint: input.hostname,
        tags,
        expires_at: new Date(context.now.getTime() + input.expires_in_seconds * 1000),
        // Before it is used: the machine that it is for.
        instance_id: row.id,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const instance = await showInstance(context, row);
    context.event('system.instance.created', { before: null, after: instance });
    const secret = context.dryRun ? notShownOnDryRun : token;
    const command = `powernode agent join --platform ${context.services.nodeUrl()} --token ${secret}`;
    return { instance, join_token: { ...showJoinToken(tokenRow, context.now), token: secret, command } };
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
    `${waiting} machines are pending already, which is the limit. Let them join, or terminate some.`,
  );
}

/** Offers belong to the platform; each account sees them as its own, from its beginning. */
async function shown(context: ActionContext, offers: readonly Offer[]) {
  const account = await context.trx
    .selectFrom('accounts')
    .select('created_at')
    .where('id', '=', context.accountId)
    .executeTakeFirstOrThrow();
  const { created_at } = account;
  const base = { account_id: context.accountId, created_at, updated_at: created_at, revision: 1 };
  return offers.map((offer) => ({ ...offer, ...stored({ ...base, id: offer.id }) }));
}

/** There are fewer than fit on one page. */
function wholePage(offers: readonly Offer[]) {
  return { count: offers.length, has_more: false, next_cursor: null };
}
