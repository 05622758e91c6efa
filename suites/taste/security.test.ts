// SECURITY.md as a test: each of its points names the tests that hold it, which exist, or says that there is none.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

interface Named {
  readonly file: string;
  /** The beginning of the title of one test in it; null: the whole file. */
  readonly title: string | null;
}

const points = read('SECURITY.md')
  .split(/^(?=- |#)/m)
  .filter((block) => block.startsWith('- '));

/** `file`, or `file`: "title", "title". */
function namedIn(point: string): Named[] {
  return [...point.matchAll(/`([^`\s]+\.test\.[a-z]+)`(:(?:,? "[^"]+")+)?/g)].flatMap(
    ([, file = '', titles]): Named[] => {
      if (titles === undefined) return [{ file, title: null }];
      return [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title }));
    },
  );
}

/** Of every test and group of tests, skipped ones left out. */
function titlesOf(file: string): string[] {
  const calls =
    /\b(?:test|it|describe)(?:\.(?:each|skipIf|runIf)\([^]*?\))?\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`([^`]*)`)/g;
  return [...read(file).matchAll(calls)].map(([, single, double, back]) =>
    (single ?? double ?? back ?? '').replaceAll(/\\(.)/g, '$1'),
  );
}

describe('SECURITY.md [9.25]', () => {
  test('has a test for each point, or says that it has none', () => {
    expect(points.length).toBeGreaterThan(30);
    const silent = points.filter((point) => namedIn(point).length === 0 && !/\bno test\b/i.test(point));
    expect(silent).toEqual([]);
  });

  test('names tests that exist, by the titles that they have', () => {
    const named = points.flatMap(namedIn);
    expect(named.filter(({ title }) => title !== null).length).toBeGreaterThan(0);
    const wrong = named.filter(
      ({ file, title }) =>
        !existsSync(path.join(root, file)) || !titlesOf(file).some((one) => one.startsWith(title ?? '')),
    );
    expect(wrong).toEqual([]);
  });

  test('quotes no title without its file, and no file that is no test', () => {
    const rest = points.map((point) => point.replaceAll(/`[^`\s]+\.test\.[a-z]+`(:(?:,? "[^"]+")+)?/g, ''));
    expect(rest.filter((text) => /"[^"]+"|\.test\.|`(?:packages|suites)\//.test(text))).toEqual([]);
  });
});
