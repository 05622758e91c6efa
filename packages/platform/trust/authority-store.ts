// Keeps the authorities in the database: each made once, its private key sealed. What they do: authority.ts.
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import {
  type Authority,
  type AuthorityKind,
  type AuthorityParts,
  makeAuthority,
  type StoredAuthority,
  storedAuthority,
  unsealAuthority,
} from './authority.ts';

const settingNames: Readonly<Record<AuthorityKind, string>> = {
  nodes: 'authority',
  operators: 'operator_authority',
};

export interface AuthorityOptions extends AuthorityParts {
  readonly store: Pick<Store, 'db'>;
}

/** Opens the authority of this database, or makes it. Of two platforms that start at once, one makes it. */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const stored = (await readStored(options)) ?? (await storeNew(options));
  return unsealAuthority(stored, options);
}

/** Whether there is one, so that the database belongs to a platform already. */
export async function hasAuthority(store: Pick<Store, 'db'>): Promise<boolean> {
  return (await readStored({ store, kind: 'nodes' })) !== null;
}

async function readStored({
  store,
  kind,
}: Pick<AuthorityOptions, 'store' | 'kind'>): Promise<StoredAuthority | null> {
  const row = await inPlatform(store, (trx) =>
    trx
      .selectFrom('platform_settings')
      .select('value')
      .where('name', '=', settingNames[kind])
      .executeTakeFirst(),
  );
  return row === undefined ? null : storedAuthority.parse(row.value);
}

async function storeNew(options: AuthorityOptions): Promise<StoredAuthority> {
  const made = await makeAuthority(options);
  await inPlatform(options.store, (trx) =>
    trx
      .insertInto('platform_settings')
      .values({ name: settingNames[options.kind], value: JSON.stringify(made) })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute(),
  );
  // Whose insert won is what counts, also when it was another platform's.
  const stored = await readStored(options);
  if (stored === null) throw new Error('the authority was stored and is not there');
  return stored;
}
