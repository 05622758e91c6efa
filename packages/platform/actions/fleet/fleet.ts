// Handlers: machines, join tokens, events.
import { ProductError } from '@powernode/core/errors';
import { joinTokenLosses } from '../../access/maker-rights.ts';
import { timeOfId } from '../../events/write-events.ts';
import { readInPlatform } from '../../store/tenancy.ts';
import { type ActionContext, checkRevision, type HandlersOf, notFound } from '../context.ts';
import { page, pageAnswer } from '../paging.ts';
import { instanceRow } from '../sdwan/rows.ts';
import { endInstance } from './end-instance.ts';
import { makeJoinToken } from './join-token.ts';
import { type JoinTokenRow, showEvent, showInstance, showInstances, showJoinToken } from './present.ts';

export const fleetHandlers: HandlersOf<
  | 'createJoinToken'
  | 'listJoinTokens'
  | 'revokeJoinToken'
  | 'listInstances'
  | 'getInstance'
  | 'updateInstance'
  | 'terminateInstance'
  | 'recentEvents'
> = {
  async createJoinToken(context, input) {
    const made = await makeJoinToken(context, {
      nameHint: input.name_hint ?? null,
      tags: input.tags ?? [],
      expiresInSeconds: input.expires_in_seconds,
      instanceId: null,
    });
    const { token: _token, command: _command, ...shown } = made;
    context.event('system.join_token.created', { before: null, after: shown });
    return { join_token: made };
  },

  async listJoinTokens(context, input) {
    const query = context.trx
      .selectFrom('join_tokens')
      .selectAll()
      .where('account_id', '=', context.accountId);
    const found = await page(query, input, { by: 'id', direction: 'desc' });
    const lossOf = await lossesOf(context, found.rows);
    return {
      join_tokens: found.rows.map((row) => showJoinToken(row, context.now, lossOf(row))),
      ...pageAnswer(found),
    };
  },

  async revokeJoinToken(context, input) {
    const before = await context.trx
      .selectFrom('join_tokens')
      .selectAll()
      .where('id', '=', input.join_token_id)
      .where('account_id', '=', context.accountId)
      .forUpdate()
      .executeTakeFirst();
    if (before === undefined) throw notFound('join token', input.join_token_id);
    if (before.used_at !== null) {
      throw new ProductError(
        'conflict',
        `An instance has already used this token (${before.instance_id}). Terminate the instance instead.`,
      );
    }
    if (before.revoked_at !== null) return { join_token: showJoinToken(before, context.now, null) };
    const lossOf = await lossesOf(context, [before]);
    const after = await context.trx
      .updateTable('join_tokens')
      .set({ revoked_at: context.now, updated_at: context.now, revision: before.revision + 1 })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    context.event('system.join_token.revoked', {
      before: showJoinToken(before, context.now, lossOf(before)),
      after: showJoinToken(after, context.now, null),
    });
    return { join_token: showJoinToken(after, context.now, null) };
  },

  async listInstances(context, input) {
    let query = context.trx.selectFrom('instances').selectAll().where('account_id', '=', context.accountId);
    if (input.status !== undefined) query = query.where('status', '=', input.status);
    if (input.hostname !== undefined) {
      query = query.where((eb) => eb(eb.fn('starts_with', ['hostname', eb.val(input.hostname)]), '=', true));
    }
    if (input.connected !== undefined) {
      const connected = context.services.deliverer.connectedInstances(context.accountId);
      query = query.where((eb) => {
        const among = eb('id', '=', eb.fn.any(eb.val(connected)));
        return input.connected === true ? among : eb.not(among);
      });
    }
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { instances: await showInstances(context, found.rows), ...pageAnswer(found) };
  },

  async getInstance(context, input) {
    return { instance: await showInstance(context, await instanceRow(context, input.instance_id)) };
  },

  async updateInstance(context, input) {
    await context.lock();
    const before = await instanceRow(context, input.instance_id);
    checkRevision(before, input);
    if (before.status === 'terminated') {
      throw new ProductError(
        'conflict',
        `The instance "${before.hostname}" is terminated and cannot be changed.`,
      );
    }
    const shownBefore = await showInstance(context, before);
    const after = await context.trx
      .updateTable('instances')
      .set({
        hostname: input.hostname ?? before.hostname,
        tags: JSON.stringify(input.tags ?? before.tags),
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const instance = await showInstance(context, after);
    context.event('system.instance.updated', { before: shownBefore, after: instance });
    return { instance };
  },

  async terminateInstance(context, input) {
    await context.lock();
    const before = await instanceRow(context, input.instance_id);
    checkRevision(before, input);
    if (before.status === 'terminated') return { instance: await showInstance(context, before) };
    const instance = await endInstance(context, before);
    return { instance };
  },

  async recentEvents(context, input) {
    let query = context.trx.selectFrom('events').selectAll().where('account_id', '=', context.accountId);
    if (input.kind_prefix !== undefined && input.kind_prefix !== '') {
      query = query.where((eb) => eb(eb.fn('starts_with', ['kind', eb.val(input.kind_prefix)]), '=', true));
    }
    if (input.since !== undefined) query = query.where('at', '>=', new Date(input.since));
    if (input.correlation_id !== undefined) query = query.where('correlation_id', '=', input.correlation_id);
    const found = await page(query, input, { by: 'id', direction: 'desc' });
    const deleted = found.hasMore ? null : await deletedTo(context);
    const reachesIt = input.since === undefined || deleted === null || new Date(input.since) <= deleted;
    return {
      events: found.rows.map(showEvent),
      ...pageAnswer(found),
      ...(deleted === null || !reachesIt ? {} : { deleted_to: deleted.toISOString() }),
    };
  },
};

function lossesOf(context: ActionContext, rows: readonly JoinTokenRow[]) {
  return readInPlatform(context.trx, (trx) => joinTokenLosses(trx, rows, context.now));
}

/** Until when the account's events were deleted because of their age; null: none was. */
async function deletedTo({ trx, accountId }: ActionContext): Promise<Date | null> {
  const { events_deleted_to: id } = await trx
    .selectFrom('accounts')
    .select('events_deleted_to')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  return id === null ? null : timeOfId(id);
}
