// No circle of imports: whoever reads a file can read what it needs first. Imports of types count as all others do,
// which the rule `import/no-cycle` of the lint leaves out.
import { expect, test } from 'vitest';
import { importsOf, isForTests, sources } from './imports.ts';

/** The files that import each other in a circle, each circle once. */
function circlesOf(files: readonly string[]): string[][] {
  const graph = new Map(files.map((file) => [file, importsOf(file).map((one) => one.file)]));
  const circles: string[][] = [];
  const done = new Set<string>();
  function visit(file: string, trail: readonly string[]): void {
    const start = trail.indexOf(file);
    if (start !== -1) circles.push(trail.slice(start));
    if (start !== -1 || done.has(file)) return;
    for (const imported of graph.get(file) ?? []) visit(imported, [...trail, file]);
    done.add(file);
  }
  for (const file of files) visit(file, []);
  return circles;
}

const packaged = sources.filter((file) => file.startsWith('packages/'));

test.each([
  ['production code', packaged.filter((file) => !isForTests(file))],
  ['production code, tests and fixtures', packaged],
] as const)('there is no circle of imports in %s', (_, files) => {
  expect(files.length).toBeGreaterThan(500);
  const found = circlesOf(files).map(
    (circle) =>
      `${[...circle, circle[0]].join(' -> ')}: move the shape that they share to a file of its own, which all of them import`,
  );
  expect(found).toEqual([]);
});
