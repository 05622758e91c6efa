// The depth of a text agrees with that of the value that is read from it, whatever stands in its strings.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNestedDeeper } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('the depth found in a text is that of its value [9.6]', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      const depth = depthOf(JSON.parse(text));
      expect(isNestedDeeper(text, depth)).toBe(false);
      if (depth > 0) expect(isNestedDeeper(text, depth - 1)).toBe(true);
    }),
  );
});

test.each([
  ['"[[[["', 0],
  ['"\\"[[["', 0],
  ['"\\\\",[', 1],
  ['[{}]', 2],
  ['"[[[', 0],
])('brackets in strings do not count: %s [9.6]', (text, depth) => {
  expect(isNestedDeeper(text, depth)).toBe(false);
  if (depth > 0) expect(isNestedDeeper(text, depth - 1)).toBe(true);
});
