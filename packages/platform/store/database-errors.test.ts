// Which failures mean that the database is away, and which are answers of a database that is there.
import { expect, test } from 'vitest';
import { isConflictOfTransactions, isDatabaseAway, sqlStateOf } from './database-errors.ts';

function failure(fields: Record<string, string>, message = 'failed'): Error {
  return Object.assign(new Error(message), fields);
}

test.each([
  failure({ code: '57P01' }),
  failure({ code: '57P03' }),
  failure({ code: '08006' }),
  failure({ code: '53300' }),
  failure({ code: 'ECONNREFUSED', syscall: 'connect' }),
  failure({ code: 'ENOENT', syscall: 'connect' }),
  failure({ code: 'EPIPE', syscall: 'write' }),
  failure({}, 'Connection terminated unexpectedly'),
  failure({}, 'timeout exceeded when trying to connect'),
])('$code $message: away', (error) => {
  expect(isDatabaseAway(error)).toBe(true);
});

test.each([
  failure({ code: '23505' }),
  failure({ code: '40001' }),
  failure({ code: '57014' }),
  failure({ code: 'ENOENT', syscall: 'open' }),
  failure({ code: 'conflict' }),
  failure({}, 'something else'),
  null,
  'text',
])('%s: there', (error) => {
  expect(isDatabaseAway(error)).toBe(false);
});

test('codes of Node that look like a SQLSTATE are none', () => {
  expect(sqlStateOf(failure({ code: 'EPIPE' }))).toBeNull();
  expect(sqlStateOf(failure({ code: '42P01' }))).toBe('42P01');
  expect(isConflictOfTransactions(failure({ code: '40P01' }))).toBe(true);
  expect(isConflictOfTransactions(failure({ code: '23503' }))).toBe(false);
});
