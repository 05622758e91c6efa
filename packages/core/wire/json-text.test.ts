// JSON from outside: what is read, and what is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { illFormedAt, readJsonBytes, readJsonText } from './json-text.ts';

const depthMax = 32;
const bytes = (...parts: readonly (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))));

describe('JSON from outside', () => {
  it('is read as JSON.parse reads it, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value);
        if (illFormedAt(JSON.parse(text)) !== null)
          expect(() => readJsonText(text, depthMax)).toThrow('surrogate');
        else expect(readJsonText(text, depthMax)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('with a name that stands twice in one object is refused, also when it is written otherwise [9.22]', () => {
    expect(() => readJsonText('{"a": 1, "b": {}, "a": 2}', depthMax)).toThrow('"a" occurs twice');
    expect(() => readJsonText('{"x": [{"a": 1, "\\u0061" : 2}]}', depthMax)).toThrow('"a" occurs twice');
    expect(readJsonText('{"a": {"a": ["a", "a"]}, "b": "\\"a\\":"}', depthMax)).toEqual({
      a: { a: ['a', 'a'] },
      b: '"a":',
    });
  });

  it('with half of a surrogate pair is refused, with the place [9.22]', () => {
    expect(() => readJsonText('{"a": ["\\ud83d"]}', depthMax)).toThrow('a.0 contains an unpaired surrogate');
    expect(() => readJsonText('{"\\udc00": 1}', depthMax)).toThrow('surrogate');
    expect(readJsonText('{"a": "\\ud83d\\ude00"}', depthMax)).toEqual({ a: '😀' });
  });

  it('that is no UTF-8 is refused and not repaired [9.22]', () => {
    expect(() => readJsonBytes(bytes('{"a": "', 0xff, '"}'), depthMax)).toThrow('not UTF-8');
    expect(() => readJsonBytes(bytes('{"a": "', 0xed, 0xa0, 0x80, '"}'), depthMax)).toThrow('not UTF-8');
    expect(readJsonBytes(bytes('{"a": "ü"}'), depthMax)).toEqual({ a: 'ü' });
  });

  it('that is nested deeper than its limit is refused before it is read [9.22]', () => {
    expect(() => readJsonText('['.repeat(500_000), depthMax)).toThrow('deeper than 32');
    expect(readJsonText(`${'['.repeat(32)}${']'.repeat(32)}`, depthMax)).toBeDefined();
  });

  it('may be absent', () => {
    expect(readJsonText(' \n', depthMax)).toBeUndefined();
  });
});
