// Brings a database to the schema of this program: numbered steps, forward only, each whole or not at all.
// Kysely's Migrator (0.29) is not used. It runs all pending migrations in one transaction, or in none, and then writes that
// a migration ran after it: a kill in between leaves a database that no start can bring further. Here each migration is one
// transaction, with its record, row-level security on its tables and the grants to the product's role.
import { ProductError } from '@powernode/core/errors';
import { migrationWaitMs } from '@powernode/core/limits/database';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { sqlStateOf } from './database-errors.ts';
import { enforceTenancy } from './tenancy-policies.ts';

export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly number: number;
  readonly name: string;
  /** Statements; they run in one transaction, so nothing that PostgreSQL refuses inside of one. */
  readonly sql: string;
  /** What statements cannot do; after them, in the same transaction. */
  readonly run?: (db: Kysely<unknown>) => Promise<void>;
  /** Tables made here whose rows belong to the account in `account_id`. */
  readonly tenantTables?: readonly string[];
}

export interface MigrateOptions {
  readonly db: Kysely<unknown>;
  readonly migrations: readonly Migration[];
  readonly log: Logger;
  /** Runs in each migration's transaction, after it. */
  readonly afterEach: (db: Kysely<unknown>) => Promise<void>;
}

interface Recorded {
  readonly number: number;
  readonly name: string;
}

/** "pwrn" in ASCII, and 2 for this lock. */
const lockClass = 0x7077726e;
const lockObject = 2;

/** Returns the names of those that it ran. Safe beside other processes that start on the same database. */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  assertNumbered(options.migrations);
  return options.db.connection().execute(async (db) => {
    await sql`select set_config('lock_timeout', ${String(migrationWaitMs)}, false)`.execute(db);
    await sql`select pg_advisory_lock(${lockClass}::int, ${lockObject}::int)`.execute(db);
    try {
      return await runPending(db, options);
    } catch (error) {
      throw explained(error);
    } finally {
      // Should the connection be gone, the lock went with it.
      await sql`select pg_advisory_unlock(${lockClass}::int, ${lockObject}::int)`
        .execute(db)
        .catch(() => undefined);
    }
  });
}

async function runPending(db: Kysely<unknown>, options: MigrateOptions): Promise<readonly string[]> {
  const recorded = await readRecorded(db);
  refuseForeign(recorded, options.migrations);
  const pending = options.migrations.slice(recorded.length);
  for (const migration of pending) {
    await db.transaction().execute(async (trx) => {
      // A login that is bound by row-level security itself would see no rows to change.
      await sql`select set_config('powernode.scope', 'platform', true)`.execute(trx);
      await sql.raw(migration.sql).execute(trx);
      await migration.run?.(trx);
      await enforceTenancy(trx, migration.tenantTables ?? []);
      await options.afterEach(trx);
      await sql`insert into schema_migrations (number, name) values (${migration.number}, ${migration.name})`.execute(
        trx,
      );
    });
    options.log.info({ migration: `${migration.number} ${migration.name}` }, 'database migrated');
  }
  await options.afterEach(db);
  return pending.map(({ name }) => name);
}

async function readRecorded(db: Kysely<unknown>): Promise<readonly Recorded[]> {
  const { rows } = await sql<{ present: boolean }>`
    select to_regclass('schema_migrations') is not null as present
  `.execute(db);
  if (rows[0]?.present !== true) await createRecord(db);
  const recorded = await sql<Recorded>`select number, name from schema_migrations order by number`.execute(
    db,
  );
  return recorded.rows;
}

/** Belongs to no account and is read by migrations only, so the product's role gets no grant on it at all. */
async function createRecord(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table schema_migrations (
      number int primary key,
      name text not null,
      applied_at timestamptz not null default now()
    )
  `.execute(db);
  await sql`comment on table schema_migrations is 'The migrations that this database has been through'`.execute(
    db,
  );
  await sql`comment on column schema_migrations.number is 'Position, from 1, without a gap'`.execute(db);
  await sql`comment on column schema_migrations.name is 'What the program that ran it called it'`.execute(db);
  await sql`comment on column schema_migrations.applied_at is 'When its transaction began'`.execute(db);
}

function refuseForeign(recorded: readonly Recorded[], known: readonly Migration[]): void {
  const newest = recorded.at(-1);
  if (newest !== undefined && newest.number > known.length) {
    throw new ProductError(
      'invalid_configuration',
      `The database has been through migration ${newest.number} (${newest.name}); this program knows only up to ${known.length}. Start the newer version that ran it, or restore a backup from before.`,
    );
  }
  recorded.forEach((entry, index) => {
    const expected = known[index];
    if (expected !== undefined && entry.number === expected.number && entry.name === expected.name) return;
    throw new ProductError(
      'invalid_configuration',
      `The database has been through a migration ${entry.number} (${entry.name}) where this program has ${expected?.number} (${expected?.name}). It belongs to another program or branch; use another database.`,
    );
  });
}

function assertNumbered(migrations: readonly Migration[]): void {
  migrations.forEach(({ number, name }, index) => {
    if (number !== index + 1)
      throw new Error(`migration "${name}" is number ${number}, expected ${index + 1}`);
  });
}

function explained(error: unknown): unknown {
  if (sqlStateOf(error) === '42501') {
    return new ProductError(
      'invalid_configuration',
      'The database login may not create tables. Make it the owner of the database (alter database … owner to …).',
      { cause: error },
    );
  }
  if (sqlStateOf(error) === '55P03') {
    return new ProductError(
      'database_unavailable',
      'Another process migrates this database for too long. See its log, then start this one again.',
      { cause: error },
    );
  }
  return error;
}
