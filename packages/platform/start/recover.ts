// `powernode recover`: makes an owner's token for whoever owns the platform's data directory or its database login, on
// the platform's own machine, while the platform runs or not. It is an event of the account.
import { mkdir, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { type OperatorRow, showApiToken, showOperator } from '../actions/accounts/present.ts';
import type { Trx } from '../actions/context.ts';
import type { Settings } from '../config/settings.ts';
import { type EventDraft, writeEvents } from '../events/write-events.ts';
import { openStoreBeside } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { makeApiToken } from '../trust/tokens.ts';
import { writeSecret } from './first-administrator.ts';

export interface RecoverOptions {
  readonly settings: Pick<Settings, 'dataDir' | 'databaseUrl'>;
  /** Name or id; null: the first account, whose owners administer the platform. */
  readonly account: string | null;
  readonly log: Logger;
}

export interface Recovered {
  readonly account: string;
  readonly operator: string;
  /** Where the token is, readable by the user alone. */
  readonly tokenFile: string;
}

const tokenFileName = 'recovery-token';

export async function recover({ settings, account, log }: RecoverOptions): Promise<Recovered> {
  const { dataDir, databaseUrl } = settings;
  await refuseForeignDirectory(dataDir, databaseUrl !== null);
  const store = await openStoreBeside({ dataDir, databaseUrl, log });
  try {
    const tokenFile = path.join(dataDir, tokenFileName);
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const { token, digest } = makeApiToken();
    const found = await inPlatform(store, async (trx) => {
      const { id: accountId, name } = await accountNamed(trx, account);
      const { operator, events } = await ownerOf(trx, accountId);
      const row = await trx
        .insertInto('api_tokens')
        .values({
          id: uuidv7(),
          account_id: accountId,
          operator_id: operator.id,
          name: tokenFileName,
          digest,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const by = { user: userInfo().username, user_id: process.getuid?.() ?? null };
      const recovered = { api_token: showApiToken(row, new Date()), operator: showOperator(operator), by };
      await writeEvents(trx, [...events, eventOf(accountId, 'system.account.recovered', recovered)]);
      // Before the commit, as the first administrator's: what is not committed lets nobody in.
      await writeSecret(tokenFile, `${token}\n`);
      return { account: name, operator: operator.name };
    });
    return { ...found, tokenFile };
  } finally {
    await store.close();
  }
}

/** The files of the directory are its owner's alone; root may do everything on the machine anyway. */
async function refuseForeignDirectory(dataDir: string, mayBeAbsent: boolean): Promise<void> {
  const found = await stat(dataDir).catch(() => null);
  if (found === null && mayBeAbsent) return;
  const hasDatabase = mayBeAbsent || (await stat(path.join(dataDir, 'postgres')).catch(() => null)) !== null;
  if (found === null || !hasDatabase) {
    throw new ProductError(
      'invalid_configuration',
      `There is no platform in ${dataDir}. Name its data directory with --data-dir, or its database with DATABASE_URL.`,
    );
  }
  const self = process.getuid?.();
  if (self === undefined || self === 0 || self === found.uid) return;
  throw new ProductError(
    'permission_denied',
    `The data directory ${dataDir} belongs to the user with id ${found.uid}. Only that user, or root, may recover the platform.`,
  );
}

async function accountNamed(trx: Trx, account: string | null) {
  const all = trx.selectFrom('accounts').select(['id', 'name']);
  const row = await (account === null
    ? all.orderBy('id').limit(1)
    : all.where((eb) => eb.or([eb('name', '=', account), eb(eb.cast<string>('id', 'text'), '=', account)]))
  ).executeTakeFirst();
  if (row !== undefined) return row;
  throw new ProductError(
    'not_found',
    account === null
      ? 'The platform has no account yet. Start it once: powernode up makes the first one, with a token.'
      : `There is no account "${account}".`,
  );
}

interface Owner {
  readonly operator: OperatorRow;
  readonly events: readonly EventDraft[];
}

/** The oldest owner that is there; a new one where there is none. Somebody had a reason to disable the others. */
async function ownerOf(trx: Trx, accountId: string): Promise<Owner> {
  const first = await trx
    .selectFrom('accounts')
    .select('id')
    .orderBy('id')
    .limit(1)
    .executeTakeFirstOrThrow();
  const isFirst = first.id === accountId;
  const owners = await trx
    .selectFrom('operators')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('role', '=', 'owner')
    .where('disabled_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  const known = owners.find((owner) => owner.platform_admin || !isFirst);
  return known === undefined ? newOwner(trx, accountId, isFirst) : { operator: known, events: [] };
}

async function newOwner(trx: Trx, accountId: string, isFirst: boolean): Promise<Owner> {
  const id = uuidv7();
  const operator = await trx
    .insertInto('operators')
    .values({
      id,
      account_id: accountId,
      name: `recovered-${id.slice(-8)}`,
      role: 'owner',
      platform_admin: isFirst,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const payload = { before: null, after: showOperator(operator) };
  return { operator, events: [eventOf(accountId, 'system.operator.created', payload)] };
}

function eventOf(accountId: string, kind: string, payload: Record<string, unknown>): EventDraft {
  return {
    account_id: accountId,
    kind,
    severity: 'warning',
    at: new Date().toISOString(),
    actor: { kind: 'platform', id: null, name: 'powernode recover' },
    correlation_id: uuidv7(),
    payload,
  };
}
