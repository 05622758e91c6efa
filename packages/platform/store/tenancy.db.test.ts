// The promise of row-level security: a query without a `where` shows one account's rows, or none.
import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Migration } from './migrate.ts';
import { openStore, type Store } from './open-store.ts';
import { inAccount, inPlatform } from './tenancy.ts';
import { runAsAdmin, urlOf } from './test-cluster.ts';
import { createEmptyDatabase, type TestDatabase, testCluster } from './test-database.ts';

const mine = '0199aaaa-0000-7000-8000-000000000001';
const theirs = '0199aaaa-0000-7000-8000-000000000002';

const schema: Migration = {
  number: 1,
  name: 'notes',
  tenantTables: ['notes'],
  sql: `
    create table accounts (id uuid primary key, name text not null);
    create table notes (account_id uuid not null references accounts, text text not null);
    create table forgotten (account_id uuid, text text);
  `,
};

function openOn(databaseUrl: string): Promise<Store> {
  return openStore({ dataDir: '', databaseUrl, log: pino({ level: 'silent' }), migrations: [schema] });
}

async function texts(db: Kysely<never> | Store['db'], table: 'notes' | 'forgotten'): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`select text from ${sql.table(table)} order by text`.execute(
    db,
  );
  return rows.map(({ text }) => text);
}

async function fill(store: Store): Promise<void> {
  await inPlatform(store, async (trx) => {
    await sql`insert into accounts values (${mine}, 'mine'), (${theirs}, 'theirs')`.execute(trx);
    await sql`insert into notes values (${mine}, 'my note'), (${theirs}, 'their note')`.execute(trx);
    await sql`insert into forgotten values (${mine}, 'left open by mistake')`.execute(trx);
  });
}

/** Login kinds that differ in what PostgreSQL would let them see. */
const logins = ['superuser', 'owner without privileges', 'bypassrls'] as const;

describe.each(logins)('as a login that is %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  const login = `login_${randomBytes(4).toString('hex')}`;

  beforeAll(async () => {
    database = await createEmptyDatabase();
    const cluster = testCluster();
    let url = database.databaseUrl;
    if (kind !== 'superuser') {
      const attributes = kind === 'bypassrls' ? 'bypassrls createrole' : '';
      await runAsAdmin(cluster, `create role ${login} login password 'pw' ${attributes}`);
      // Where the role is there already, somebody who may has to grant it: this server is shared by test files.
      if (kind === 'bypassrls')
        await runAsAdmin(cluster, `grant powernode_app to ${login} with admin option`);
      await runAsAdmin(cluster, `alter database ${database.name} owner to ${login}`);
      url = urlOf({ ...cluster, user: login, password: 'pw' }, database.name);
    }
    store = await openOn(url);
    await fill(store);
  });

  afterAll(async () => {
    const { rows } = await store.pool.query<{ own: string }>('select session_user::text as own');
    await store.close();
    await database.drop();
    // The login that it has made for the product.
    if (kind === 'bypassrls') await runAsAdmin(testCluster(), `drop role ${rows[0]?.own}`);
    if (kind !== 'superuser') await runAsAdmin(testCluster(), `drop role ${login}`);
  });

  test('an account sees its own rows without any where clause', async () => {
    expect(await inAccount(store, mine, (trx) => texts(trx, 'notes'))).toEqual(['my note']);
    expect(await inAccount(store, theirs, (trx) => texts(trx, 'notes'))).toEqual(['their note']);
  });

  test('an account sees itself among the accounts', async () => {
    const { rows } = await inAccount(store, mine, (trx) => sql`select name from accounts`.execute(trx));
    expect(rows).toEqual([{ name: 'mine' }]);
  });

  test('an account neither changes nor deletes nor makes rows of another', async () => {
    const changed = await inAccount(store, mine, (trx) =>
      sql`update notes set text = 'x' where account_id = ${theirs}`.execute(trx),
    );
    expect(changed.numAffectedRows).toBe(0n);
    const removed = await inAccount(store, mine, (trx) =>
      sql`delete from notes where text = 'their note'`.execute(trx),
    );
    expect(removed.numAffectedRows).toBe(0n);
    const made = inAccount(store, mine, (trx) => sql`insert into notes values (${theirs}, 'x')`.execute(trx));
    await expect(made).rejects.toMatchObject({ code: '42501' });
    const moved = inAccount(store, mine, (trx) => sql`update notes set account_id = ${theirs}`.execute(trx));
    await expect(moved).rejects.toMatchObject({ code: '42501' });
  });

  test('outside of a scope nothing is seen, also after a scope was left on the same session', async () => {
    await inPlatform(store, (trx) => texts(trx, 'notes'));
    expect(await texts(store.db, 'notes')).toEqual([]);
  });

  test('the platform sees all', async () => {
    expect(await inPlatform(store, (trx) => texts(trx, 'notes'))).toEqual(['my note', 'their note']);
  });

  test('a table that its migration forgot to assign is closed to accounts', async () => {
    expect(await inAccount(store, mine, (trx) => texts(trx, 'forgotten'))).toEqual([]);
    expect(await inPlatform(store, (trx) => texts(trx, 'forgotten'))).toEqual(['left open by mistake']);
  });

  test('no session of the product may look past row-level security', async () => {
    const { rows } = await sql<{ above: boolean; forced: boolean }>`
      select rolsuper or rolbypassrls as above,
        (select bool_and(relforcerowsecurity) from pg_class
         where relname in ('accounts', 'notes', 'forgotten')) as forced
      from pg_roles where rolname = current_user`.execute(store.db);
    expect(rows).toEqual([{ above: false, forced: true }]);
  });

  test('opening again changes nothing', async () => {
    const again = await openOn(
      kind === 'superuser'
        ? database.databaseUrl
        : urlOf({ ...testCluster(), user: login, password: 'pw' }, database.name),
    );
    expect(await inAccount(again, mine, (trx) => texts(trx, 'notes'))).toEqual(['my note']);
    await again.close();
  });
});

describe('transactions', () => {
  let database: TestDatabase;
  let store: Store;

  beforeAll(async () => {
    database = await createEmptyDatabase();
    store = await openOn(database.databaseUrl);
    await fill(store);
  });

  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  test('of two that deadlock the loser runs again and both are saved', async () => {
    const rounds = { first: 0, second: 0 };
    const bothHold = Promise.withResolvers<void>();
    let holding = 0;
    const lockBoth = (name: keyof typeof rounds, order: readonly string[]) =>
      inPlatform(store, async (trx) => {
        rounds[name]++;
        await sql`update notes set text = text where account_id = ${order[0]}`.execute(trx);
        holding++;
        if (holding === 2) bothHold.resolve();
        await bothHold.promise;
        await sql`update notes set text = text where account_id = ${order[1]}`.execute(trx);
      });
    await Promise.all([lockBoth('first', [mine, theirs]), lockBoth('second', [theirs, mine])]);
    // One of them lost at least once; on a busy machine the server may see the deadlock from both sides.
    expect(rounds.first + rounds.second).toBeGreaterThan(2);
  });

  test('a failure that another try does not repair is not tried again', async () => {
    let tries = 0;
    const failing = inPlatform(store, (trx) => {
      tries++;
      return sql`select 1 / 0`.execute(trx);
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(tries).toBe(1);
  });

  test('a conflict that never ends is given up', async () => {
    let tries = 0;
    const failing = inPlatform(store, (trx) => {
      tries++;
      return sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`.execute(trx);
    });
    await expect(failing).rejects.toMatchObject({ code: '40001' });
    expect(tries).toBe(6);
  });

  test('a session that is cut in the middle is reported as the database being away', async () => {
    const cut = inPlatform(store, async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      await runAsAdmin(testCluster(), `select pg_terminate_backend(${rows[0]?.pid})`);
      await sql`select 1`.execute(trx);
    });
    await expect(cut).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(await inAccount(store, mine, (trx) => texts(trx, 'notes'))).toEqual(['my note']);
  });

  test('an account id that is none is refused before it reaches the database', async () => {
    await expect(async () => inAccount(store, "' or true --", (trx) => texts(trx, 'notes'))).rejects.toThrow(
      'is no account id',
    );
  });
});
