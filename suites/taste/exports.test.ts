// No export of production code that only tests use, and none that nobody uses. The gate's knip takes an import by a
// test for a use, and every file of a package that exports all of its files (core, client) for an entry.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, isForTests, root, sources } from './imports.ts';

/** `file` for all of its exports, `file#name` for one. */
const exceptions: Readonly<Record<string, string>> = {
  'packages/core/compile/naive.ts#compileNaively': 'the reference that the compiler is compared with',
  'packages/core/explain/evaluate.ts#evaluate':
    'the definition of what rules mean, which compiled rules are compared with',
  'packages/core/limits/clients.ts#toolsDefaultMax':
    'a bound on what the definitions of tools may come to, held by tests',
  'packages/core/limits/clients.ts#toolsDefaultBytesMax': 'as toolsDefaultMax',
  'packages/core/wire/capability.ts#capabilityHistory':
    'a record of what each capability brought, for readers',
  'packages/lab/lab.ts#upSpec': 'the lab is a library for tests and benchmarks too',
  'packages/lab/watch/loss.ts#lossDuring': 'the lab is a library for tests and benchmarks too',
  'packages/lab/watch/tenures.ts': 'the lab is a library for tests and benchmarks too',
  'packages/platform/deliver/simulated-enrolment.ts': 'nodes that tests and benchmarks simulate',
  'packages/platform/deliver/simulated-node.ts': 'nodes that tests and benchmarks simulate',
  'packages/platform/observe/metric-table.ts#metricNames': 'the reference of metrics is compared with it',
  'packages/platform/store/test-database.ts': 'a database that tests and benchmarks bring',
};

const production = sources.filter((file) => file.startsWith('packages/') && !isForTests(file));

function exportsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const declared = /^export (?:async |abstract )*(?:function\*?|const|class|interface|type|let|enum) (\w+)/gm;
  return [...text.matchAll(declared)]
    .map((match) => match[1] ?? '')
    .filter((name) => [...text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length === 1);
}

/** By file: the names that production code imports of it. */
const used = new Map<string, Set<string>>();
for (const file of sources.filter((one) => !isForTests(one))) {
  for (const { file: imported, names } of importsOf(file)) {
    const known = used.get(imported) ?? new Set();
    for (const name of names) known.add(name);
    used.set(imported, known);
  }
}

const unused = production.flatMap((file) => {
  const names = used.get(file) ?? new Set();
  return names.has('*')
    ? []
    : exportsOf(file)
        .filter((name) => !names.has(name))
        .map((name) => ({ file, name }));
});

test('every export has a use in production code', () => {
  const wrong = unused
    .filter(({ file, name }) => !(file in exceptions) && !(`${file}#${name}` in exceptions))
    .map(
      ({ file, name }) =>
        `${file}#${name}: remove it; what only a test needs belongs to the test or a fixture`,
    );
  expect(wrong).toEqual([]);
});

/** Started as programs, threads or pages of their own, so that no file imports them. */
const entries =
  /(?:^|\/|-)(?:main\.tsx?|build\.ts|demo\.ts|vite\.config\.ts|probe\/worker\.ts|conformance-server\.ts)$/;

test('every file is imported by production code, or started', () => {
  const wrong = production
    .filter((file) => !used.has(file) && !entries.test(file))
    .filter((file) => !Object.keys(exceptions).some((key) => key.split('#')[0] === file))
    .map((file) => `${file}: remove it, or make it a fixture if tests need it`);
  expect(wrong).toEqual([]);
});

test('every exception is needed, and says why', () => {
  const needed = new Set(unused.flatMap(({ file, name }) => [file, `${file}#${name}`]));
  const unneeded = Object.keys(exceptions).filter((key) => !needed.has(key));
  expect(unneeded.map((key) => `${key}: take it out of the list`)).toEqual([]);
  expect(Object.entries(exceptions).filter(([, reason]) => reason === '')).toEqual([]);
});
