// Where links to the console lead: as it is set, or where it listens.
import { describe, expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const read = (flags: Record<string, string>) =>
  readSettings({ flags: { 'data-dir': '/nonexistent', ...flags }, environment: {} });

describe('console_url', () => {
  test('is an origin, and nothing when it is not set', () => {
    expect(read({}).consoleUrl).toBeNull();
    expect(read({ 'console-url': 'https://net.example:8443/' }).consoleUrl).toBe('https://net.example:8443');
  });

  test.each(['net.example', 'ftp://net.example', 'https://net.example/console'])('%s is refused', (url) => {
    expect(() => read({ 'console-url': url })).toThrow('console_url');
  });
});
