// Reads the failures of PostgreSQL and of the connection to it, by SQLSTATE and by Node's codes, never by class.
import { ProductError } from '@powernode/core/errors';

/** The five characters of a server's error, or null for anything else. */
export function sqlStateOf(error: unknown): string | null {
  const code = codeOf(error);
  return code !== null && /^[0-9A-Z]{5}$/.test(code) && !isNodeCode(code) ? code : null;
}

/**
 * Another try of the whole transaction can succeed, or then sees what was in its way and can say so: a serialization
 * failure, a deadlock, or a row that somebody else wrote between the look for it and the writing.
 */
export function isConflictOfTransactions(error: unknown): boolean {
  return conflictStates.has(sqlStateOf(error) ?? '');
}

/** The server is away, going, coming, full, or a standby that takes no writes. */
export function isDatabaseAway(error: unknown): boolean {
  const code = codeOf(error);
  if (code === null) return isDriverDisconnect(error);
  if (socketFileCodes.has(code)) return isConnect(error);
  return isNodeCode(code) || code.startsWith('08') || awayStates.has(code);
}

export function databaseAway(cause: unknown): ProductError {
  return new ProductError(
    'database_unavailable',
    'The database does not answer. Nothing was changed; try again in a moment.',
    { cause },
  );
}

/** Only COMMIT leaves this doubt: the answer to it was lost. */
export function outcomeUnknown(cause: unknown): ProductError {
  return new ProductError(
    'database_unavailable',
    'The connection to the database was lost while the change was being saved, so it may or may not be there. Read it back before trying again, or repeat it with the same Idempotency-Key.',
    { cause },
  );
}

const conflictStates: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '23505', // unique_violation
]);

const awayStates: ReadonlySet<string> = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
  '25006', // read_only_sql_transaction: the server became a standby
  '53300', // too_many_connections
  '53100', // disk_full
  '53200', // out_of_memory
  '58000', // system_error
  '58030', // io_error
]);

const nodeCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** A unix socket that is not there (yet). The same codes also come from files, which are none of our business. */
const socketFileCodes: ReadonlySet<string> = new Set(['ENOENT', 'EACCES']);

function isConnect(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error && error.syscall === 'connect';
}

/** The driver gives these no code, and has no class of its own for them. */
const disconnectMessages: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'Called end on pool more than once',
]);

function isDriverDisconnect(error: unknown): boolean {
  return error instanceof Error && disconnectMessages.has(error.message);
}

function isNodeCode(code: string): boolean {
  return nodeCodes.has(code);
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
