// Opens the database of a platform, embedded or one's own, ready to use: checked, migrated, behind row-level
// security. Queries go through tenancy.ts.
import { ProductError } from '@powernode/core/errors';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { asLogin, connectionFromUrl, type Login, loginConfig, loginOf, poolConfig } from './connections.ts';
import { databaseAway, isDatabaseAway, sqlStateOf } from './database-errors.ts';
import { type DirectoryHold, holdDirectory } from './directory-hold.ts';
import { type EmbeddedServer, runningServer, startEmbeddedServer } from './embedded-server.ts';
import { type Migration, migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import {
  grantNewTables,
  isBound,
  loginUnusable,
  prepareEmbeddedLogin,
  prepareOwnLogin,
  retireOtherLogins,
} from './roles.ts';
import type { Database } from './tables.ts';

export interface StoreOptions {
  readonly dataDir: string;
  /** Null: the embedded server, in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly log: Logger;
  /** Those of this program unless a test says otherwise. */
  readonly migrations?: readonly Migration[];
}

export interface Store {
  /** Sees no row outside of the scopes of tenancy.ts. */
  readonly db: Kysely<Database>;
  readonly pool: pg.Pool;
  readonly kind: 'embedded' | 'external';
  /** Settles only when the database is gone for good (embedded); the platform should end with this error. */
  readonly lost: Promise<ProductError>;
  /** Tells a second platform on the same data directory where this one is. */
  announce(url: string): Promise<void>;
  close(): Promise<void>;
}

const embeddedDatabase = 'powernode';
const versionMin = 150_000;

export async function openStore(options: StoreOptions): Promise<Store> {
  return options.databaseUrl === null ? openEmbedded(options) : openExternal(options, options.databaseUrl);
}

/**
 * For a program beside the platform: joins the server that a running platform keeps, or opens the database as a platform
 * would. The product's own login is known to the running platform alone, so that the server's first one is used.
 */
export async function openStoreBeside(options: StoreOptions): Promise<Pick<Store, 'db' | 'close'>> {
  const running = options.databaseUrl === null ? await runningServer(options.dataDir) : null;
  if (running === null) return openStore(options);
  const pool = newPool(poolConfig(running(embeddedDatabase)), options.log);
  return { ...withQueries(pool), close: () => pool.end() };
}

async function openExternal(options: StoreOptions, url: string): Promise<Store> {
  const pool = await openPool(connectionFromUrl(url), options, 'external');
  return {
    ...withQueries(pool),
    kind: 'external',
    lost: new Promise(() => undefined),
    announce: async () => undefined,
    close: () => pool.end(),
  };
}

async function openEmbedded(options: StoreOptions): Promise<Store> {
  const { log } = options;
  const server = await startEmbeddedServer({ dataDir: options.dataDir, log });
  let hold: DirectoryHold | null = null;
  try {
    hold = await holdDirectory({ dataDir: server.dataDir, connection: server.connection('postgres'), log });
    await ensureDatabase(server);
    const pool = await openPool(server.connection(embeddedDatabase), options, 'embedded');
    return embeddedStore({ server, hold, pool });
  } catch (error) {
    await hold?.release();
    await server.stop();
    // The server may have died under the first connections.
    throw explained(error);
  }
}

interface EmbeddedParts {
  readonly server: EmbeddedServer;
  readonly hold: DirectoryHold;
  readonly pool: pg.Pool;
}

function embeddedStore({ server, hold, pool }: EmbeddedParts): Store {
  return {
    ...withQueries(pool),
    kind: 'embedded',
    lost: server.lost,
    announce: (url) => hold.announce(url),
    close: async () => {
      await pool.end();
      await hold.release();
      await server.stop();
    },
  };
}

function withQueries(pool: pg.Pool): Pick<Store, 'db' | 'pool'> {
  return { pool, db: new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }) };
}

/** Checks and migrates as the given login, then opens the sessions of the product as one that is above nothing. */
async function openPool(
  connection: pg.ClientConfig,
  options: StoreOptions,
  kind: Store['kind'],
): Promise<pg.Pool> {
  const login = await prepareDatabase(connection, options, kind);
  if (login === null) return newPool(poolConfig(connection), options.log);
  return newPool(poolConfig(asLogin(connection, login)), options.log);
}

/** The server may let the given login in by other means than a password, and then not the product's own. */
async function assertEnters(own: pg.ClientConfig, given: string): Promise<void> {
  const client = new pg.Client(loginConfig(own));
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const state = sqlStateOf(error);
    if (state?.startsWith('28') !== true) throw explained(error);
    throw loginUnusable(
      given,
      'the server refuses the lesser login that the platform created beside it',
      error,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * A session that breaks is replaced; the next query finds out whether the server is there. The pool hears of
 * idle ones only: one that breaks between two queries of a transaction would end the process unheard.
 */
function newPool(config: pg.PoolConfig, log: Logger): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', (error) => log.debug({ err: error }, 'an idle session with the database broke'));
  pool.on('connect', (client) => {
    client.on('error', (error) => log.debug({ err: error }, 'a session with the database broke'));
  });
  return pool;
}

/** Answers with the login for the product; null: the given one, which no right has to be taken from. */
async function prepareDatabase(
  connection: pg.ClientConfig,
  options: StoreOptions,
  kind: Store['kind'],
): Promise<Login | null> {
  const pool = newPool({ ...loginConfig(connection), max: 1 }, options.log);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await checkVersion(db);
    const login = await prepareLogin(db, { connection, kind, log: options.log });
    await migrate({
      db,
      migrations: options.migrations ?? migrations,
      log: options.log,
      afterEach: login === null ? async () => undefined : grantNewTables,
    });
    return login;
  } catch (error) {
    throw explained(error);
  } finally {
    await pool.end();
  }
}

async function prepareLogin(
  db: Kysely<unknown>,
  of: { readonly connection: pg.ClientConfig; readonly kind: Store['kind']; readonly log: Logger },
): Promise<Login | null> {
  const { connection, kind, log } = of;
  if (kind === 'embedded') return prepareEmbeddedLogin(db);
  if (await isBound(db)) return null;
  const login = await prepareOwnLogin(db, connection);
  await assertEnters(asLogin(connection, login), loginOf(connection).user);
  await retireOtherLogins(db, { given: connection, login, log });
  return login;
}

async function checkVersion(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ number: number; name: string }>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as name
  `.execute(db);
  const [version] = rows;
  if (version !== undefined && version.number >= versionMin) return;
  throw new ProductError(
    'invalid_configuration',
    `The database server is PostgreSQL ${version?.name}; 15 or later is needed.`,
  );
}

async function ensureDatabase(server: EmbeddedServer): Promise<void> {
  const client = new pg.Client(loginConfig(server.connection('postgres')));
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [
      embeddedDatabase,
    ]);
    if (rowCount === 0) await client.query(`create database ${embeddedDatabase}`);
  } finally {
    await client.end();
  }
}

function explained(error: unknown): unknown {
  if (error instanceof ProductError) return error;
  if (isDatabaseAway(error)) return databaseAway(error);
  const state = sqlStateOf(error);
  if (state === '28P01' || state === '28000' || state === '3D000') {
    // The server's sentence names the login or the database, never the password.
    return new ProductError(
      'invalid_configuration',
      `The database of DATABASE_URL refuses the platform: ${error instanceof Error ? error.message : state}.`,
      { cause: error },
    );
  }
  return error;
}
