// Row-level security as migrations put it on tables. Closed unless said otherwise: a table that a migration
// forgets to name is readable by the platform's own scope only.
import { type Kysely, sql } from 'kysely';

/** The rows of these belong to the account named in another column than `account_id`. */
const accountColumns: Readonly<Record<string, string>> = { accounts: 'id' };

/** No rows of an account or of the platform: which migrations ran. Only the login has it. */
const outside: readonly string[] = ['schema_migrations'];

/** Puts a policy on each table that has none yet. */
export async function enforceTenancy(db: Kysely<unknown>, tenantTables: readonly string[]): Promise<void> {
  for (const table of tenantTables) await enableTenancy(db, { table, column: 'account_id' });
  for (const table of await unprotectedTables(db)) {
    const column = accountColumns[table];
    if (column === undefined) await enablePlatformOnly(db, table);
    else await enableTenancy(db, { table, column });
  }
}

interface TenantTable {
  readonly table: string;
  /** Holds the id of the account. */
  readonly column: string;
}

/** The settings are read in sub-selects, so that they are read once a query and not once a row. */
async function enableTenancy(db: Kysely<unknown>, { table, column }: TenantTable): Promise<void> {
  await force(db, table);
  await sql`
    create policy account_rows on ${sql.id(table)}
      using (
        ${sql.id(column)} = (select nullif(current_setting('powernode.account_id', true), '')::uuid)
        or (select current_setting('powernode.scope', true)) = 'platform'
      )
  `.execute(db);
}

async function enablePlatformOnly(db: Kysely<unknown>, table: string): Promise<void> {
  await force(db, table);
  await sql`
    create policy platform_rows on ${sql.id(table)}
      using ((select current_setting('powernode.scope', true)) = 'platform')
  `.execute(db);
}

/** FORCE binds the owner of the table too, which is the login where that is no superuser. */
async function force(db: Kysely<unknown>, table: string): Promise<void> {
  await sql`alter table ${sql.id(table)} enable row level security`.execute(db);
  await sql`alter table ${sql.id(table)} force row level security`.execute(db);
}

async function unprotectedTables(db: Kysely<unknown>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace
      and c.relkind in ('r', 'p')
      and not (c.relrowsecurity and c.relforcerowsecurity)
      and c.relname <> all (${[...outside]}::text[])
    order by c.relname
  `.execute(db);
  return rows.map(({ name }) => name);
}
