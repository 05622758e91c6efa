// SECURITY.md as a test: each of its sentences names the tests that hold it, which exist and run, or says that there is
// none.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import config from '../../vitest.config.ts';

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

/** What is bold at the beginning of a point is what the point is called. */
const sentences = points.flatMap((point) =>
  point
    .replace(/^- (?:\*\*[^*]+\.\*\* )?/, '')
    .trim()
    .split(/(?<=\.)\s+(?=[A-Z])/),
);

interface Project {
  readonly test: { readonly include: readonly string[]; readonly exclude: readonly string[] };
}
const projects = (config as unknown as { readonly test: { readonly projects: readonly Project[] } }).test
  .projects;

/** Whether `npm test` has it. */
function isRun(file: string): boolean {
  const matches = (globs: readonly string[]) => globs.some((glob) => path.matchesGlob(file, glob));
  return projects.some(({ test: { include, exclude } }) => matches(include) && !matches(exclude));
}

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
  test('has a test for each sentence, or says that it has none', () => {
    expect(points.length).toBeGreaterThan(40);
    expect(sentences.length).toBeGreaterThan(points.length);
    const silent = sentences.filter((one) => namedIn(one).length === 0 && !/\bno test\b/i.test(one));
    expect(silent).toEqual([]);
  });

  test('names tests that run, or says in the sentence that one is in no run', () => {
    expect(isRun('packages/agent/agent.test.ts')).toBe(true);
    expect(isRun('packages/agent/agent.test.tsx')).toBe(false);
    const idle = sentences.filter((one) => namedIn(one).some(({ file }) => !isRun(file)));
    expect(idle.filter((one) => !/\bin no run\b/.test(one))).toEqual([]);
    const runs = sentences.filter((one) => /\bin no run\b/.test(one) && !idle.includes(one));
    expect(runs).toEqual([]);
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
