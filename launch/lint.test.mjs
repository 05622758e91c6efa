// What is not linted again must read what it read before: the file itself and all that it imports, as it was.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { filesToLint, importsOf, memoryOf, stemOf } from './lint-memory.mjs';
import { root } from './places.mjs';

/** @typedef {{ value: number, imports: { to: number, form: number }[], global: boolean }} File */

const paths = [
  'a.ts',
  'x/b.ts',
  'x/c.tsx',
  'x/y/d.mts',
  'e.mjs',
  'packages/core/f.ts',
  'packages/core/g/h.ts',
];
const asked = { numRuns: 1000 };

const tree = fc.array(
  fc.option(
    fc.record({
      value: fc.nat({ max: 1 }),
      imports: fc.array(fc.record({ to: fc.nat({ max: paths.length - 1 }), form: fc.nat({ max: 7 }) }), {
        maxLength: 2,
      }),
      global: fc.integer({ min: 0, max: 19 }).map((drawn) => drawn === 0),
    }),
    { nil: null, freq: 6 },
  ),
  { minLength: paths.length, maxLength: paths.length },
);

/** A tree and a later one in which few files differ. */
const change = fc
  .tuple(tree, tree, fc.uniqueArray(fc.nat({ max: paths.length - 1 }), { maxLength: 2 }))
  .map(([before, other, which]) => ({
    before,
    after: before.map((file, at) => (which.includes(at) ? (other[at] ?? null) : file)),
  }));

function statement(/** @type {string} */ from, /** @type {File['imports'][number]} */ { to, form }) {
  const target = paths[to] ?? '';
  const relative = path.posix.relative(path.posix.dirname(from), target);
  const near = relative.startsWith('.') ? relative : `./${relative}`;
  const packaged = /^packages\/core\/(.*)\.ts$/.exec(target)?.[1];
  const name = packaged === undefined || form % 2 === 0 ? near : `@powernode/core/${packaged}`;
  return [
    `import { one } from '${name}';`,
    `import type { One } from "${name}";`,
    `export * from '${name}';`,
    `import '${name}';`,
    `const all = await import(\n  '${name}'\n);`,
    `let one: import('${name}').One;`,
    `/** @type {import('${name}').One} */`,
    `import { one, two } from'${name}';`,
  ][form];
}

function sourcesOf(/** @type {readonly (File | null)[]} */ files) {
  return new Map(
    files.flatMap((file, at) => {
      const name = paths[at] ?? '';
      if (file === null) return [];
      const lines = [`const value = ${file.value};`, ...file.imports.map((one) => statement(name, one))];
      if (file.global) lines.push('declare global { interface Window {} }');
      return /** @type {[string, string][]} */ ([[name, lines.join('\n')]]);
    }),
  );
}

/** All that what a linter says of a file can depend on. */
function readBy(/** @type {number} */ at, /** @type {readonly (File | null)[]} */ files) {
  const found = new Set([at, ...files.keys().filter((one) => files[one]?.global)]);
  for (const one of found) for (const { to } of files[one]?.imports ?? []) found.add(to);
  return [...found].sort((left, right) => left - right).map((one) => [one, files[one]]);
}

test('what is not linted again reads the same as before', () => {
  let left = 0;
  fc.assert(
    fc.property(change, ({ before, after }) => {
      const sources = sourcesOf(after);
      const files = filesToLint(memoryOf(sourcesOf(before), []), memoryOf(sources, []), sources);
      for (const [at, file] of paths.entries()) {
        if (after[at] === null || files === null || files.includes(file)) continue;
        left++;
        expect(readBy(at, after)).toEqual(readBy(at, before));
      }
    }),
    asked,
  );
  expect(left).toBeGreaterThan(asked.numRuns);
});

test('what changed is linted with what imports it, and nothing else', () => {
  const before = new Map([
    ['a.ts', "import { b } from './b.ts';"],
    ['b.ts', "export * from './c.ts';"],
    ['c.ts', 'export const c = 1;'],
    ['d.ts', "import { b } from './gone.ts';"],
    ['data.json', '1'],
    ['e.ts', "import data from './data.json' with { type: 'json' };"],
    ['notes.md', "'./a.ts'"],
  ]);
  const selected = (/** @type {[string, string | null][]} */ ...edits) => {
    const after = new Map(before);
    for (const [file, text] of edits) {
      if (text === null) after.delete(file);
      else after.set(file, text);
    }
    return filesToLint(memoryOf(before, []), memoryOf(after, []), after);
  };
  expect(selected()).toEqual([]);
  expect(selected(['notes.md', 'other'])).toEqual([]);
  expect(selected(['a.ts', ''])).toEqual(['a.ts']);
  expect(selected(['c.ts', 'export const c = 2;'])).toEqual(['a.ts', 'b.ts', 'c.ts']);
  expect(selected(['c.ts', null])).toEqual(['a.ts', 'b.ts']);
  expect(selected(['gone.ts', 'export const b = 1;'])).toEqual(['d.ts', 'gone.ts']);
  expect(selected(['data.json', '2'])).toEqual(['e.ts']);
});

test('everything is linted without a memory, and when what all depends on changed', () => {
  const sources = new Map([['a.ts', 'export const a = 1;']]);
  const now = memoryOf(sources, ['linter 1']);
  expect(filesToLint(null, now, sources)).toBeNull();
  expect(filesToLint(now, now, sources)).toEqual([]);
  expect(filesToLint(memoryOf(sources, ['linter 2']), now, sources)).toBeNull();
  for (const [file, text] of [
    ['.oxlintrc.json', '{}'],
    ['package-lock.json', '{}'],
    ['packages/core/package.json', '{}'],
    ['launch/tsconfig.json', '{}'],
    ['.gitignore', 'a.ts'],
    ['shape.d.ts', ''],
    ['launch/console.d.mts', ''],
    ['global.ts', "declare module 'vitest' {}"],
    ['reference.ts', '/// <reference lib="dom" />'],
  ]) {
    const more = new Map([...sources, [file ?? '', text ?? '']]);
    // When it appears, and when it goes.
    expect(filesToLint(now, memoryOf(more, ['linter 1']), more), file).toBeNull();
    expect(filesToLint(memoryOf(more, ['linter 1']), now, sources), file).toBeNull();
  }
});

test('a specifier is a path or a package, and exports of packages are their files', () => {
  for (const folder of readdirSync(`${root}/packages`)) {
    /** @type {{ name: string, imports?: unknown, exports?: Record<string, string> }} */
    const {
      name,
      imports,
      exports = {},
    } = JSON.parse(readFileSync(`${root}/packages/${folder}/package.json`, 'utf8'));
    expect(name).toBe(`@powernode/${folder}`);
    expect(imports, name).toBeUndefined();
    for (const [from, to] of Object.entries(exports)) expect(to).toBe(`${from}.ts`);
  }
  for (const file of ['tsconfig.json', 'launch/tsconfig.json', 'packages/console/tsconfig.json']) {
    expect(readFileSync(`${root}/${file}`, 'utf8')).not.toMatch(/"(paths|baseUrl|rootDirs|typeRoots)"/);
  }
  expect(importsOf('a.ts', "import '@powernode/core/ids';")).toEqual(
    new Set([stemOf('packages/core/ids.ts')]),
  );
});
