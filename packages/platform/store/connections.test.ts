// How the lesser role gets into a connection, whatever its URL already says.
import { expect, test } from 'vitest';
import { underAppRole } from './connections.ts';

function optionsOf(connectionString: string): string | null {
  const url = underAppRole({ connectionString }).connectionString ?? '';
  expect(url).not.toContain('+');
  return new URLSearchParams(url.slice(url.indexOf('?'))).get('options');
}

test('the role is added to a URL with and without parameters', () => {
  expect(optionsOf('postgres://u:p@h/d')).toBe('-c role=powernode_app');
  expect(optionsOf('postgres://u:p@/d?host=%2Ftmp%2Fx')).toBe('-c role=powernode_app');
});

test('options that the URL has are kept', () => {
  expect(optionsOf('postgres://u:p@h/d?options=-c%20search_path%3Dpn')).toBe(
    '-c search_path=pn -c role=powernode_app',
  );
});

test('the rest of the URL is left as it is', () => {
  const { connectionString } = underAppRole({
    connectionString: 'postgres://u:p%40ss@h:5433/d?sslmode=require',
  });
  expect(connectionString).toMatch(/^postgres:\/\/u:p%40ss@h:5433\/d\?sslmode=require&options=/);
});
