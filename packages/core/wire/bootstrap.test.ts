// The file of a configuration has a name that wg-quick takes for an interface, whatever the network is called.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configFileName } from './bootstrap.ts';

test.each([
  ['Field Office', 'field-office.conf'],
  ['Bürofläche Süd', 'b-rofl-che-s-d.conf'],
  ['a-very-long-name-of-a-network', 'a-very-long-nam.conf'],
  ['本社', 'powernode.conf'],
  ['--- x ---', 'x.conf'],
])('%s gives %s', (name, file) => {
  expect(configFileName(name)).toBe(file);
});

test('every name gives one that wg-quick takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (name) => {
      // As wg-quick(8) checks it.
      expect(configFileName(name)).toMatch(/^[a-zA-Z0-9_=+.-]{1,15}\.conf$/);
    }),
  );
});
