// A secret that every process of the platform shares, made once and kept sealed in the database.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import type { SealKey } from '../trust/seal.ts';

const secretBytes = 32;
const stored = z.strictObject({ sealed: z.string() });

export async function openSharedSecret(parts: {
  readonly store: Pick<Store, 'db'>;
  readonly sealKey: SealKey;
  readonly name: string;
}): Promise<Uint8Array> {
  const { store, sealKey, name } = parts;
  const made = { sealed: sealKey.seal({ purpose: name, secret: randomBytes(secretBytes) }) };
  const row = await inPlatform(store, async (trx) => {
    await trx
      .insertInto('platform_settings')
      .values({ name, value: JSON.stringify(made) })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    return trx
      .selectFrom('platform_settings')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
  });
  return new Uint8Array(sealKey.open({ purpose: name, sealed: stored.parse(row.value).sealed }));
}
