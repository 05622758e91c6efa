// The first start: an account, its owner, and the owner's token in a file that only its owner can read.
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { newPool } from '../actions/accounts/accounts.ts';
import type { Services } from '../actions/context.ts';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { apiTokenDigest } from '../trust/tokens.ts';

const adminTokenFile = 'admin-token';

/**
 * Does nothing where there is an account already. The file is written before the commit: a platform that dies in
 * between leaves a file that the next start overwrites, and never an account that nobody can enter.
 */
export async function ensureFirstAdministrator(parts: {
  readonly store: Pick<Store, 'db'>;
  readonly services: Pick<Services, 'newId' | 'newApiToken' | 'randomPoolBits'>;
  readonly dataDir: string;
}): Promise<void> {
  const { store, services, dataDir } = parts;
  await inPlatform(store, async (trx) => {
    const known = await trx.selectFrom('accounts').select('id').limit(1).executeTakeFirst();
    if (known !== undefined) return;
    const accountId = services.newId();
    const operatorId = services.newId();
    const { token, digest } = services.newApiToken();
    const pool = newPool({ services: services as Services });
    await trx.insertInto('accounts').values({ id: accountId, name: 'default', pool_prefix: pool }).execute();
    await trx
      .insertInto('operators')
      .values({
        id: operatorId,
        account_id: accountId,
        name: 'administrator',
        role: 'owner',
        platform_admin: true,
      })
      .execute();
    await trx
      .insertInto('api_tokens')
      .values({
        id: services.newId(),
        account_id: accountId,
        operator_id: operatorId,
        name: adminTokenFile,
        digest,
      })
      .execute();
    await writeSecret(path.join(dataDir, adminTokenFile), `${token}\n`);
  });
}

/**
 * The file with the first administrator's token, where it is of use: it is here, and its token counts in this database.
 * Another platform of the database has it in its own data directory; and a token can have been revoked.
 */
export async function findAdministratorToken(parts: {
  readonly store: Pick<Store, 'db'>;
  readonly dataDir: string;
}): Promise<string | null> {
  const file = path.join(parts.dataDir, adminTokenFile);
  const digest = apiTokenDigest((await readFile(file, 'utf8').catch(() => '')).trim());
  if (digest === null) return null;
  const token = await inPlatform(parts.store, (trx) =>
    trx
      .selectFrom('api_tokens')
      .select('id')
      .where('digest', '=', digest)
      .where('revoked_at', 'is', null)
      .executeTakeFirst(),
  );
  return token === undefined ? null : file;
}

/** Whole or not at all, and readable by this user alone. */
export async function writeSecret(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
