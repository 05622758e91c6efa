// How sessions with PostgreSQL are opened: what they are called, how long they wait, how values are read.
import { ProductError } from '@powernode/core/errors';
import {
  databaseConnectMs,
  databaseIdleInTransactionMs,
  databaseSessionsMax,
  databaseStatementMs,
} from '@powernode/core/limits/database';
import pg from 'pg';
import { PreparingClient } from './planned-once.ts';

/**
 * What queries of the product may do wherever the given login could look past row-level security: in the embedded
 * server it is the login, elsewhere a login of the product's own has its rights and no others.
 */
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
    Client: PreparingClient,
    application_name: 'powernode',
    max: databaseSessionsMax,
    connectionTimeoutMillis: databaseConnectMs,
    statement_timeout: databaseStatementMs,
    idle_in_transaction_session_timeout: databaseIdleInTransactionMs,
    types: typeParsers,
  };
}

export interface Login {
  readonly user: string;
  /** null: the server asks for none. */
  readonly password: string | null;
}

/** Where a connection leads to and as whom, with what the driver adds by itself (PG* variables, defaults). */
export function loginOf(connection: pg.ClientConfig): Login & { readonly database: string } {
  const { user, password, database } = new pg.Client(connection);
  return {
    user: user ?? '',
    password: typeof password === 'string' ? password : null,
    database: database ?? '',
  };
}

/** The same place as another login. */
export function asLogin(connection: pg.ClientConfig, { user, password }: Login): pg.ClientConfig {
  const { connectionString } = connection;
  const { database } = loginOf(connection);
  const given = { ...connection, user, ...(password === null ? {} : { password }) };
  if (connectionString === undefined) return { ...given, database };
  // What a URL says wins over the config beside it in the driver, so it has to be said in the URL.
  const [, scheme = '', place = '', query = ''] =
    /^(postgres(?:ql)?:\/\/)(?:[^/?#]*@)?([^/?#]*)[^?#]*\??([^#]*)/.exec(connectionString) ?? [];
  const parameters = new URLSearchParams(query);
  for (const name of ['user', 'password', 'database', 'dbname']) parameters.delete(name);
  const who = [user, ...(password === null ? [] : [password])].map(encodeURIComponent).join(':');
  // The driver's reader takes %20 for a space, not +.
  const rest = parameters.size === 0 ? '' : `?${parameters.toString().replaceAll('+', '%20')}`;
  return {
    ...given,
    connectionString: `${scheme}${who}@${place}/${encodeURIComponent(database)}${rest}`,
  };
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
