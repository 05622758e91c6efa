// Makes sure that no query of the product can look past row-level security, whoever the login is.
import { createHmac, hash, randomBytes } from 'node:crypto';
import { ProductError } from '@powernode/core/errors';
import { type Kysely, sql } from 'kysely';
import type pg from 'pg';
import type { Logger } from 'pino';
import { appRole, type Login, loginOf } from './connections.ts';
import { sqlStateOf } from './database-errors.ts';

/** Whether a login is bound by row-level security as it is: the policies are forced on the owner of tables too. */
export async function isBound(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql<{ above: boolean }>`
    select rolsuper or rolbypassrls as above from pg_roles where rolname = current_user
  `.execute(db);
  return rows[0]?.above !== true;
}

/**
 * The embedded server: the role is a login, a member of nothing and able to nothing but what is granted to it. Its
 * password is made at each start and kept in memory only. What an earlier version made of the role is taken back.
 */
export async function prepareEmbeddedLogin(db: Kysely<unknown>): Promise<Login> {
  await createRole(db, appRole);
  const password = randomBytes(32).toString('base64url');
  await sql`alter role ${sql.id(appRole)} ${ordinary} login password ${sql.lit(password)}`.execute(db);
  const { rows } = await sql<{ role: string; member: string }>`
    select g.rolname as role, m.rolname as member
    from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
    where ${appRole} in (m.rolname, g.rolname)
  `.execute(db);
  for (const { role, member } of rows) await sql`revoke ${sql.id(role)} from ${sql.id(member)}`.execute(db);
  return { user: appRole, password };
}

/**
 * A server of one's own, where the given login is above row-level security: another login for the product, which has
 * the rights of the lesser role and no way back to the given one. All processes with the same DATABASE_URL come to the
 * same login, since name and password follow from it; the password cannot be led back to the one that it is made of.
 */
export async function prepareOwnLogin(db: Kysely<unknown>, given: pg.ClientConfig): Promise<Login> {
  const { user, password, database } = loginOf(given);
  const place = `${user}\0${database}`;
  const made = password === null ? null : createHmac('sha256', password).update(place).digest('base64url');
  const login = `powernode_${hash('sha256', `${place}\0${made}`).slice(0, 16)}`;
  try {
    await createRole(db, appRole);
    await createRole(db, login, made);
    // Two processes that start at once must not write the same rows of the catalogue.
    await db.transaction().execute(async (trx) => {
      await lockRoles(trx);
      await sql`alter role ${sql.id(login)} login`.execute(trx);
      await sql`comment on role ${sql.id(login)} is ${sql.lit(markOf(given))}`.execute(trx);
      await sql`grant ${sql.id(appRole)} to ${sql.id(login)}`.execute(trx);
      await sql`alter role ${sql.id(login)} in database ${sql.id(database)} set search_path to ${sql.id(await currentSchema(trx))}`.execute(
        trx,
      );
      await sql`grant connect on database ${sql.id(database)} to ${sql.id(login)}`.execute(trx);
    });
  } catch (cause) {
    if (sqlStateOf(cause) !== '42501') throw cause;
    throw loginUnusable(user, 'may not create one that does not', cause);
  }
  return { user: login, password: made };
}

/**
 * A changed password of the given login makes another login of the product's own: those that were made before it for
 * the same database and the same given login may not sign in any more. To be called once the new one is known to work.
 */
export async function retireOtherLogins(
  db: Kysely<unknown>,
  of: { readonly given: pg.ClientConfig; readonly login: Login; readonly log: Logger },
): Promise<void> {
  const { given, login, log } = of;
  try {
    await db.transaction().execute(async (trx) => {
      await lockRoles(trx);
      const { rows } = await sql<{ name: string }>`
        select rolname as name from pg_roles
        where rolcanlogin and rolname <> ${login.user} and shobj_description(oid, 'pg_authid') = ${markOf(given)}
      `.execute(trx);
      for (const { name } of rows) {
        await sql`alter role ${sql.id(name)} nologin`.execute(trx);
        log.info({ login: name }, 'a login of an earlier password may not sign in any more');
      }
    });
  } catch (cause) {
    if (sqlStateOf(cause) !== '42501') throw cause;
    log.warn(
      { err: cause },
      'a login of an earlier password stays: the login of DATABASE_URL may not end it',
    );
  }
}

/** What a login of the product was made for, as the comment that it has in the database. */
function markOf(given: pg.ClientConfig): string {
  const { user, database } = loginOf(given);
  return `Made by Powernode for ${JSON.stringify({ database, login: user })}`;
}

async function lockRoles(trx: Kysely<unknown>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${lockClass}::int, ${lockObject}::int)`.execute(trx);
}

/** The two ways out of a login that the product must not work with. */
export function loginUnusable(login: string, why: string, cause: unknown): ProductError {
  return new ProductError(
    'invalid_configuration',
    `The database login ${login} looks past row-level security, and ${why}. Give the platform a login of its own that is no superuser and has no BYPASSRLS, and that owns the database: create role powernode login password '...'; alter database ... owner to powernode;`,
    { cause },
  );
}

/** "pwrn" in ASCII, and 3 for this lock. */
const lockClass = 0x7077726e;
const lockObject = 3;

/** What no login of the product is or may. */
const ordinary = sql.raw('nosuperuser nocreatedb nocreaterole noreplication nobypassrls');

/** `password`: of a login; null: one whose server asks for none; left out: no login. */
async function createRole(db: Kysely<unknown>, name: string, password?: string | null): Promise<void> {
  const { rows } = await sql`select 1 from pg_roles where rolname = ${name}`.execute(db);
  if (rows.length > 0) return;
  const kind =
    password === undefined
      ? sql`nologin`
      : password === null
        ? sql`login`
        : sql`login password ${sql.lit(password)}`;
  await sql`create role ${sql.id(name)} ${ordinary} ${kind}`.execute(db).catch((error: unknown) => {
    // Roles belong to the whole server: another process or database of it may be opened right now.
    if (sqlStateOf(error) !== '42710' && sqlStateOf(error) !== '23505') throw error;
  });
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
