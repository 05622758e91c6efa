// Handlers: access grants, each a page that lets one device in.
import { ProductError } from '@powernode/core/errors';
import type { AccessGrant } from '@powernode/core/intent/user-device';
import { openAccessGrantsPerNetworkMax } from '@powernode/core/limits/overlay';
import { bootstrapPath } from '@powernode/core/wire/bootstrap';
import { type RawBuilder, sql } from 'kysely';
import { accessGrantLosses } from '../../../access/maker-rights.ts';
import { readInPlatform } from '../../../store/tenancy.ts';
import { statusOfOnce } from '../../accounts/present.ts';
import { type ActionContext, type HandlersOf, notFound } from '../../context.ts';
import { fetchedExpiry, notAfterToken, type OnceRenewal, onceExpiry, shownOnce } from '../../once.ts';
import { page, pageAnswer } from '../../paging.ts';
import { networkRow } from '../rows.ts';
import { deviceToIssueAgain } from './issue.ts';
import { type AccessGrantRow, showAccessGrant } from './present-access-grant.ts';

export const accessGrantHandlers: HandlersOf<
  'createAccessGrant' | 'listAccessGrants' | 'getAccessGrant' | 'revokeAccessGrant'
> = {
  async createAccessGrant(context, input) {
    const network = await networkRow(context, input.network_id);
    await refuseTooMany(context, network);
    const device =
      input.user_device_id === undefined
        ? null
        : await deviceToIssueAgain(context, { id: input.user_device_id, networkId: network.id });
    const { token, digest } = context.services.newBootstrapToken();
    const row = await context.trx
      .insertInto('access_grants')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        network_id: network.id,
        device_name_hint: input.device_name_hint,
        created_by: context.caller.operatorId,
        created_with: context.caller.tokenId,
        digest,
        tags: JSON.stringify(input.tags ?? []),
        expires_at: notAfterToken(context, onceExpiry(context, input.expires_in_seconds)),
        user_device_id: device?.id ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const shown = showAccessGrant(row, context.now, null);
    context.event('sdwan.access_grant.created', { before: null, after: shown });
    const bootstrap_url = shownOnce(context, urlOf(context, token));
    const bootstrap_warning = warningFor(new URL(context.services.consoleUrl()));
    return { access_grant: { ...shown, bootstrap_url, bootstrap_warning } };
  },

  async listAccessGrants(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    let query = context.trx
      .selectFrom('access_grants')
      .selectAll()
      .where('account_id', '=', context.accountId);
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.status !== undefined) {
      query = query.where(await hasStatus(context, { status: input.status, networkId: input.network_id }));
    }
    const found = await page(query, input, { by: 'id', direction: 'desc' });
    const lossOf = await lossesOf(context, found.rows);
    return {
      access_grants: found.rows.map((row) => showAccessGrant(row, context.now, lossOf(row))),
      ...pageAnswer(found),
    };
  },

  async getAccessGrant(context, input) {
    const row = await grantRow(context, input.access_grant_id);
    const lossOf = await lossesOf(context, [row]);
    return { access_grant: showAccessGrant(row, context.now, lossOf(row)) };
  },

  async revokeAccessGrant(context, input) {
    const before = await lockGrant(context, input.access_grant_id);
    if (before.used_at !== null) {
      throw new ProductError(
        'conflict',
        `A device has already used this access grant (${before.user_device_id}). Revoke the device instead.`,
        { members: { user_device_id: before.user_device_id } },
      );
    }
    if (before.revoked_at !== null) return { access_grant: showAccessGrant(before, context.now, null) };
    const lossOf = await lossesOf(context, [before]);
    const after = await context.trx
      .updateTable('access_grants')
      .set({ revoked_at: context.now, updated_at: context.now, revision: before.revision + 1 })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const shown = showAccessGrant(after, context.now, null);
    context.event('sdwan.access_grant.revoked', {
      before: showAccessGrant(before, context.now, lossOf(before)),
      after: shown,
    });
    return { access_grant: shown };
  },
};

/** A new secret of a grant whose first one nobody has. It is made with the token in use, which may be another one. */
export async function renewAccessGrant(context: ActionContext, of: OnceRenewal) {
  const before = await lockGrant(context, of.id);
  if (statusOfOnce(before, context.now, null) !== 'unused') {
    throw new ProductError(
      'conflict',
      'The access grant was revoked or used, or has expired. Request another one.',
    );
  }
  const { token, digest } = context.services.newBootstrapToken();
  const after = await context.trx
    .updateTable('access_grants')
    .set({
      digest,
      created_with: context.caller.tokenId,
      expires_at: notAfterToken(
        context,
        fetchedExpiry(context, { seconds: of.seconds, atMost: before.expires_at }),
      ),
      updated_at: context.now,
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const bootstrap_warning = warningFor(new URL(context.services.consoleUrl()));
  return {
    ...showAccessGrant(after, context.now, null),
    bootstrap_url: urlOf(context, token),
    bootstrap_warning,
  };
}

/** What an operator made and nobody has used ends with it: it may have kept the addresses. */
export async function revokeGrantsOf(context: ActionContext, operatorId: string): Promise<void> {
  const rows = await context.trx
    .updateTable('access_grants')
    .set((eb) => ({
      revoked_at: context.now,
      updated_at: context.now,
      revision: eb('revision', '+', 1),
    }))
    .where('created_by', '=', operatorId)
    .where('account_id', '=', context.accountId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .returningAll()
    .execute();
  for (const after of rows) {
    const before = { ...after, revoked_at: null, revision: after.revision - 1 };
    context.event('sdwan.access_grant.revoked', {
      before: showAccessGrant(before, context.now, null),
      after: showAccessGrant(after, context.now, null),
    });
  }
}

/** Those whose makers have no right to them now. */
function lossesOf(context: ActionContext, rows: readonly AccessGrantRow[]) {
  return readInPlatform(context.trx, (trx) => accessGrantLosses(trx, rows, context.now));
}

/** What `statusOfOnce` says, as a condition. */
async function hasStatus(
  context: ActionContext,
  of: { readonly status: AccessGrant['status']; readonly networkId: string | undefined },
): Promise<RawBuilder<boolean>> {
  const { status } = of;
  if (status === 'used') return sql`used_at is not null`;
  const lost = await lostGrants(context, of.networkId);
  const lostSo = lost.filter((one) => one.loss === status).map(({ id }) => id);
  const own = {
    revoked: sql<boolean>`revoked_at is not null`,
    expired: sql<boolean>`revoked_at is null and expires_at <= ${context.now}`,
    unused: sql<boolean>`revoked_at is null and expires_at > ${context.now}
      and id <> all(${lost.map(({ id }) => id)}::uuid[])`,
  }[status];
  return sql`used_at is null and (${own} or id = any(${lostSo}::uuid[]))`;
}

/** Grants that would be unused if their makers had the right to them. A network has a limited number of these. */
async function lostGrants(context: ActionContext, networkId: string | undefined) {
  let query = context.trx
    .selectFrom('access_grants')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', context.now);
  if (networkId !== undefined) query = query.where('network_id', '=', networkId);
  const rows = await query.execute();
  const lossOf = await lossesOf(context, rows);
  return rows.map((row) => ({ id: row.id, loss: lossOf(row) })).filter(({ loss }) => loss !== null);
}

function urlOf(context: ActionContext, token: string): string {
  return `${context.services.consoleUrl()}${bootstrapPath}#${token}`;
}

async function grantRow(context: ActionContext, id: string): Promise<AccessGrantRow> {
  return found(id, await byId(context, id).executeTakeFirst());
}

/** Holds the row, so that a device that uses the grant meanwhile comes before or after, never between. */
export async function lockGrant(context: ActionContext, id: string): Promise<AccessGrantRow> {
  return found(id, await byId(context, id).forUpdate().executeTakeFirst());
}

function byId(context: ActionContext, id: string) {
  return context.trx
    .selectFrom('access_grants')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId);
}

function found(id: string, row: AccessGrantRow | undefined): AccessGrantRow {
  if (row === undefined) throw notFound('access grant', id);
  return row;
}

/** A phone that is shown an address of loopback looks for the page on itself. */
function warningFor({ hostname, host }: URL): string | null {
  const onlyHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return onlyHere
    ? `${host} works only on the platform itself: other devices cannot open this URL. Start the platform with --console-url https://NAME (where people reach it), or with --host ADDRESS, and create a new access grant.`
    : null;
}

async function refuseTooMany(
  context: ActionContext,
  network: { readonly id: string; readonly name: string },
): Promise<void> {
  const { count } = await context.trx
    .selectFrom('access_grants')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', network.id)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', context.now)
    .executeTakeFirstOrThrow();
  if (count < openAccessGrantsPerNetworkMax) return;
  throw new ProductError(
    'limit_reached',
    `${count} access grants of the network "${network.name}" are unused, which is the limit. Revoke some, or let them expire.`,
  );
}
