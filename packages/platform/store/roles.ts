// Makes sure that no query of the product can look past row-level security, whoever the login is.
import { ProductError } from '@powernode/core/errors';
import { type Kysely, sql } from 'kysely';
import { appRole } from './connections.ts';
import { sqlStateOf } from './database-errors.ts';

/**
 * True when queries have to run under the lesser role, because the login is a superuser or bypasses row-level
 * security. Any other login is bound by the policies itself: they are forced on the owner of the tables too.
 */
export async function ensureAppRole(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql<{ login: string; above: boolean }>`
    select rolname as login, rolsuper or rolbypassrls as above from pg_roles where rolname = current_user
  `.execute(db);
  const [self] = rows;
  if (self?.above !== true) return false;
  try {
    await createAppRole(db);
  } catch (cause) {
    if (sqlStateOf(cause) !== '42501') throw cause;
    throw new ProductError(
      'invalid_configuration',
      `The database login ${self.login} looks past row-level security and may not create the role ${appRole} that would not. Take BYPASSRLS from it, or run as a superuser: create role ${appRole} nologin; grant ${appRole} to ${self.login};`,
      { cause },
    );
  }
  return true;
}

async function createAppRole(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ present: boolean; member: boolean }>`
    select count(*) > 0 as present,
           coalesce(bool_or(pg_has_role(current_user, oid, 'member')), false) as member
    from pg_roles where rolname = ${appRole}
  `.execute(db);
  if (rows[0]?.present !== true) {
    await sql`create role ${sql.id(appRole)} nologin nosuperuser nobypassrls`
      .execute(db)
      .catch((error: unknown) => {
        // Roles belong to the whole server: another database of it may be opened for the first time right now.
        if (sqlStateOf(error) !== '42710' && sqlStateOf(error) !== '23505') throw error;
      });
  }
  if (rows[0]?.member !== true) await sql`grant ${sql.id(appRole)} to current_user`.execute(db);
}

/**
 * Rows of every table for the lesser role, but for those tables whose migration granted it less: a table that
 * has any grant for the role is left alone. TRUNCATE, which knows no row-level security, is never granted.
 */
export async function grantNewTables(db: Kysely<unknown>): Promise<void> {
  const role = sql.id(appRole);
  const { rows } = await sql<{ name: string }>`
    select c.relname as name
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace
      and c.relkind in ('r', 'p', 'v')
      and c.relname <> 'schema_migrations'
      and not exists (
        select 1 from aclexplode(c.relacl) a where a.grantee = (select oid from pg_roles where rolname = ${appRole})
      )
    order by c.relname
  `.execute(db);
  if (rows.length === 0) return;
  const tables = sql.join(rows.map(({ name }) => sql.id(name)));
  await sql`grant usage on schema ${sql.id(await currentSchema(db))} to ${role}`.execute(db);
  await sql`grant select, insert, update, delete on ${tables} to ${role}`.execute(db);
  await sql`grant usage, select on all sequences in schema ${sql.id(await currentSchema(db))} to ${role}`.execute(
    db,
  );
}

async function currentSchema(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db);
  const name = rows[0]?.name;
  if (name != null) return name;
  throw new ProductError(
    'invalid_configuration',
    'The database login has no schema to put tables in: the first schema of its search_path does not exist.',
  );
}
