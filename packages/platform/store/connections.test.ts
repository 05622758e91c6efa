// How another login gets into a connection, whatever its URL says.
import pg from 'pg';
import { expect, test } from 'vitest';
import { asLogin } from './connections.ts';

const login = { user: 'lesser', password: 'p@:/ ?' };

test.each([
  'postgres://u:p@h/d',
  'postgres://u:p%40ss@h:5433/d?sslmode=disable',
  'postgresql://h/d',
  'postgres://u:p@/d?host=%2Ftmp%2Fx&port=5433',
  'postgres://h/d?user=u&password=p&application_name=x%20y',
  'postgres://u:p@h',
  'postgres://u:p@h/d?options=-c%20search_path%3Dpn',
])('%s leads to the same place as another login', (connectionString) => {
  const before = new pg.Client({ connectionString });
  const after = new pg.Client(asLogin({ connectionString }, login));
  for (const name of ['host', 'port', 'database', 'ssl'] as const) expect(after[name]).toEqual(before[name]);
  expect([after.user, after.password]).toEqual([login.user, login.password]);
  const options = (text: string | undefined) =>
    new URLSearchParams(text?.slice(text.indexOf('?')) ?? '').get('options');
  expect(options(asLogin({ connectionString }, login).connectionString)).toBe(
    connectionString.includes('options') ? '-c search_path=pn' : null,
  );
});

test('without a password none is said, and without a URL neither is one', () => {
  const url = asLogin({ connectionString: 'postgres://u:p@h/d' }, { user: 'lesser', password: null });
  expect(url.connectionString).toBe('postgres://lesser@h/d');
  expect(asLogin({ host: '/tmp/x', user: 'u', password: 'p', database: 'd' }, login)).toEqual({
    host: '/tmp/x',
    database: 'd',
    ...login,
  });
});
