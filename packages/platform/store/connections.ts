// How sessions with PostgreSQL are opened: what they are called, how long they wait, how values are read.
import { ProductError } from '@powernode/core/errors';
import {
  databaseConnectMs,
  databaseIdleInTransactionMs,
  databaseSessionsMax,
  databaseStatementMs,
} from '@powernode/core/limits';
import pg from 'pg';

/** Queries of the product run under this role wherever the login could look past row-level security. */
export const appRole = 'powernode_app';

/** As the driver reads them, but for int8, which it gives as text: here a number, or an error, never a rounding. */
const typeParsers = new pg.TypeOverrides();
typeParsers.setTypeParser(pg.types.builtins.INT8, parseSafeInteger);
/** int8[]; the driver has no name for it. */
typeParsers.setTypeParser(1016, parseSafeIntegers);

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`The int8 ${text} is too large for a number; select it as text`);
}

function parseSafeIntegers(text: string): (number | null)[] {
  const inner = text.slice(1, -1);
  if (inner === '') return [];
  return inner.split(',').map((item) => (item === 'NULL' ? null : parseSafeInteger(item)));
}

/** For what comes before the product's own queries: checks, roles, migrations. No statement limit. */
export function loginConfig(connection: pg.ClientConfig): pg.ClientConfig {
  return {
    ...connection,
    application_name: 'powernode-migrations',
    connectionTimeoutMillis: databaseConnectMs,
    types: typeParsers,
  };
}

export function poolConfig(connection: pg.ClientConfig): pg.PoolConfig {
  return {
    ...connection,
    application_name: 'powernode',
    max: databaseSessionsMax,
    connectionTimeoutMillis: databaseConnectMs,
    statement_timeout: databaseStatementMs,
    idle_in_transaction_session_timeout: databaseIdleInTransactionMs,
    types: typeParsers,
  };
}

/** The same connection with the lesser role from its first moment on, so that no query can run before it. */
export function underAppRole(connection: pg.ClientConfig): pg.ClientConfig {
  const setting = `-c role=${appRole}`;
  if (connection.connectionString === undefined) return { ...connection, options: setting };
  // What a URL says wins over the config beside it in the driver, so it has to be said in the URL.
  const [base = '', query = ''] = connection.connectionString.split('?', 2);
  const parameters = new URLSearchParams(query);
  const given = parameters.get('options');
  parameters.set('options', given === null ? setting : `${given} ${setting}`);
  // The driver's reader takes %20 for a space, not +.
  return { ...connection, connectionString: `${base}?${parameters.toString().replaceAll('+', '%20')}` };
}

/** `DATABASE_URL`. It holds a password, so no error repeats it. */
export function connectionFromUrl(url: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new ProductError(
      'invalid_configuration',
      'DATABASE_URL must begin with postgres:// or postgresql://, as in postgres://user:password@host:5432/database.',
    );
  }
  return { connectionString: url };
}
