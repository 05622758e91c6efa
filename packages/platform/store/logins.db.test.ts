// What whoever gets a statement of his own into a session of the product could do with it: nothing that the product
// itself may not. Tried on the embedded server, and on one's own server with a superuser in DATABASE_URL.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPostmaster } from './embedded/postmaster.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { openStore, type Store } from './open-store.ts';
import { runAsAdmin } from './test-cluster.ts';
import { createEmptyDatabase, type TestDatabase, testCluster } from './test-database.ts';

const log = pino({ level: 'silent' });

/** Everything by which a login becomes another one, or reaches the machine. */
const attempts: readonly string[] = [
  'set role postgres',
  'set role powernode',
  'set session authorization powernode',
  'set session authorization default; set role pg_read_server_files',
  'set role pg_execute_server_program',
  'set role pg_write_server_files',
  `copy (select 1) to program 'id'`,
  `copy (select 1) to '/tmp/powernode-copied'`,
  `create temp table t (line text); copy t from '/etc/passwd'`,
  `create temp table t (line text); copy t from program 'id'`,
  `select pg_read_file('/etc/passwd')`,
  `select pg_read_binary_file('/etc/passwd')`,
  `select pg_ls_dir('/')`,
  `select pg_stat_file('/etc/passwd')`,
  `select lo_import('/etc/passwd')`,
  `select lo_export(lo_create(0), '/tmp/powernode-exported')`,
  'create role somebody superuser',
  'alter role current_user superuser',
  'alter role current_user bypassrls',
  'alter role current_user createrole',
  'grant pg_read_all_data to current_user',
  `alter system set archive_command = 'id'`,
  'select pg_reload_conf()',
  'create extension plperlu',
  `create function f() returns int language c as '/bin/sh'`,
  `load '/tmp/x.so'`,
  'create database another',
  'create schema another',
  'create table public.another (a int)',
  'truncate accounts',
  'alter table accounts no force row level security',
  'alter table accounts disable row level security',
  'drop policy account_rows on accounts',
  'drop table accounts',
  'alter table accounts owner to current_user',
  'select rolpassword from pg_authid',
];

interface Tried {
  store: Store;
  end: () => Promise<void>;
}

const kinds: Readonly<Record<string, () => Promise<Tried>>> = {
  'the embedded server': async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-logins-'));
    const store = await openStore({ dataDir, databaseUrl: null, log });
    return {
      store,
      end: async () => {
        await store.close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  },
  "a superuser's DATABASE_URL": async () => {
    const database: TestDatabase = await createEmptyDatabase();
    const store = await openStore({ dataDir: '', databaseUrl: database.databaseUrl, log });
    return {
      store,
      end: async () => {
        await store.close();
        await database.drop();
      },
    };
  },
};

describe.each(Object.entries(kinds))('a session of the product on %s', (kind, open) => {
  let tried: Tried;
  beforeAll(async () => {
    tried = await open();
  });
  afterAll(() => tried.end());

  it.each(attempts)('may not: %s [9.21]', async (statement) => {
    const client = await tried.store.pool.connect();
    try {
      await expect(client.query(statement)).rejects.toMatchObject({
        // Refused, or there is nothing of that name; never a wrong syntax, which would have tried nothing.
        code: expect.stringMatching(/^(42501|42704|22023|58P01|0A000|42883|28000)$/),
      });
    } finally {
      client.release(true);
    }
  });

  it('is the login of the session too, and stays it [9.21]', async () => {
    const client = await tried.store.pool.connect();
    try {
      await client.query('set role none');
      await client.query('reset session authorization');
      const { rows } = await client.query(`
        select current_user = session_user as same, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
          array(select g.rolname::text from pg_auth_members a join pg_roles g on g.oid = a.roleid where a.member = r.oid) as member_of
        from pg_roles r where rolname = session_user
      `);
      const embedded = kind === 'the embedded server';
      expect(rows).toEqual([
        {
          same: true,
          rolsuper: false,
          rolbypassrls: false,
          rolcreaterole: false,
          rolcreatedb: false,
          rolreplication: false,
          // On a server of one's own its rights are those of one role, which is none but this product's.
          member_of: embedded ? [] : ['powernode_app'],
        },
      ]);
    } finally {
      client.release(true);
    }
  });
});

it('a directory of an earlier version, whose login could become superuser, is repaired at the next start [9.21]', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-logins-'));
  const server = await startEmbeddedServer({ dataDir, log });
  const admin = new pg.Client(server.connection('postgres'));
  await admin.connect();
  await admin.query('create role powernode_app nologin nosuperuser nobypassrls');
  await admin.query('grant powernode_app to powernode');
  await admin.query('grant pg_read_server_files to powernode_app');
  await admin.end();
  await server.stop();
  const store = await openStore({ dataDir, databaseUrl: null, log });
  const { rows } = await store.pool.query(
    `select count(*)::int as count from pg_auth_members where 'powernode_app'::regrole in (member, roleid)`,
  );
  expect(rows).toEqual([{ count: 0 }]);
  const { rows: who } = await store.pool.query('select session_user::text as login');
  expect(who).toEqual([{ login: 'powernode_app' }]);
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

it('two processes with one DATABASE_URL come to the same login, and leave each other alone [9.21]', async () => {
  const database = await createEmptyDatabase();
  const open = () => openStore({ dataDir: '', databaseUrl: database.databaseUrl, log });
  const stores = await Promise.all([open(), open(), open()]);
  const logins = await Promise.all(
    stores.map(async ({ pool }) => {
      const { rows } = await pool.query<{ login: string }>('select session_user::text as login');
      return rows[0]?.login;
    }),
  );
  expect(new Set(logins).size).toBe(1);
  expect(logins[0]).toMatch(/^powernode_[0-9a-f]{16}$/);
  for (const store of stores) await store.close();
  await database.drop();
});

describe('when the password of DATABASE_URL changes', () => {
  let database: TestDatabase;
  const givens = ['first', 'second'] as const;
  const givenName = (given: string) => `${given}_${database.name}`;
  beforeAll(async () => {
    database = await createEmptyDatabase();
    for (const given of givens) {
      await runAsAdmin(testCluster(), `create role ${givenName(given)} superuser login password 'one'`);
    }
  });
  afterAll(async () => {
    await database.drop();
    for (const given of givens) await runAsAdmin(testCluster(), `drop role ${givenName(given)}`);
  });

  /** Starts and ends a platform; answers how its own login signs in. */
  async function loginMadeWith(given: string, password: string): Promise<pg.ClientConfig> {
    await runAsAdmin(testCluster(), `alter role ${givenName(given)} password '${password}'`);
    const databaseUrl = database.databaseUrl.replace(/\/\/[^@]*@/, `//${givenName(given)}:${password}@`);
    const store = await openStore({ dataDir: '', databaseUrl, log });
    await store.close();
    const { connectionString } = store.pool.options;
    return { connectionString: connectionString ?? '' };
  }

  async function signsIn(config: pg.ClientConfig): Promise<string> {
    const client = new pg.Client(config);
    try {
      await client.connect();
      return 'signed in';
    } catch (error) {
      return (error as pg.DatabaseError).code ?? String(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const refused = '28000';

  it('the login that was made of the old one may not sign in any more, and no other is touched [9.21]', async () => {
    const old = await loginMadeWith('first', 'one');
    const other = await loginMadeWith('second', 'one');
    expect(await signsIn(old)).toBe('signed in');
    const made = await loginMadeWith('first', 'two');
    expect(made).not.toEqual(old);
    expect([await signsIn(old), await signsIn(made), await signsIn(other)]).toEqual([
      refused,
      'signed in',
      'signed in',
    ]);
    // The old password comes back, and with it its login.
    expect(await loginMadeWith('first', 'one')).toEqual(old);
    expect([await signsIn(old), await signsIn(made)]).toEqual(['signed in', refused]);
  });
});

it('a login that may neither be used nor make another is refused with the two ways out [9.21]', async () => {
  const database = await createEmptyDatabase();
  await runAsAdmin(testCluster(), `create role above_${database.name} login password 'pw' bypassrls`);
  await runAsAdmin(testCluster(), `alter database ${database.name} owner to above_${database.name}`);
  const databaseUrl = database.databaseUrl.replace(/\/\/[^@]*@/, `//above_${database.name}:pw@`);
  await expect(openStore({ dataDir: '', databaseUrl, log })).rejects.toMatchObject({
    code: 'invalid_configuration',
    detail: expect.stringMatching(/looks past row-level security.*no superuser and has no BYPASSRLS/),
  });
  await database.drop();
  await runAsAdmin(testCluster(), `drop role above_${database.name}`);
});

it('the embedded server speaks no TLS and no TCP [9.21]', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-logins-'));
  // Not even where somebody has written it into the file of settings.
  const server = await startEmbeddedServer({ dataDir, log });
  await server.stop();
  await writeFile(
    path.join(dataDir, 'postgres', 'postgresql.auto.conf'),
    `ssl = 'on'\nlisten_addresses = '*'\n`,
  );
  const again = await startEmbeddedServer({ dataDir, log });
  const admin = new pg.Client(again.connection('postgres'));
  await admin.connect();
  const { rows } = await admin.query(
    `select name, setting from pg_settings where name in ('ssl', 'listen_addresses') order by name`,
  );
  expect(rows).toEqual([
    { name: 'listen_addresses', setting: '' },
    { name: 'ssl', setting: 'off' },
  ]);
  expect((await findPostmaster(path.join(again.dataDir, 'postgres')))?.socketDir).toMatch(/^\//);
  await admin.end();
  await again.stop();
  await rm(dataDir, { recursive: true, force: true });
});
