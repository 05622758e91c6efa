// What each source file of the packages imports of which other one, type-only imports included.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.join(import.meta.dirname, '..', '..');

export interface Import {
  /** The imported file, from the root of the repository. */
  readonly file: string;
  /** The names as the imported file exports them; `*` is all of them. */
  readonly names: readonly string[];
}

/** All TypeScript files of packages, suites and benchmarks. */
export const sources: readonly string[] = execFileSync(
  'git',
  ['ls-files', '-co', '--exclude-standard', 'packages', 'suites', 'bench', '*.config.ts'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => /\.(ts|tsx)$/.test(file) && !file.endsWith('.d.ts'))
  .filter((file) => existsSync(path.join(root, file)));

/** Code that is part of no product: tests, what tests share, and stand-ins for the outside. */
export function isForTests(file: string): boolean {
  return /\.(test|fixture)\.tsx?$|\/(testing|fixtures|browser)\/|test-cluster\.ts$|^(suites|bench)\//.test(
    file,
  );
}

const known = new Set(sources);

export function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8').replaceAll(/^\s*\/?\*.*$/gm, '');
  const statements = /^(?:import|export)\s+(?:type\s+)?([^;'"=()]*?)\s*\bfrom\s+['"]([^'"]+)['"]/gm;
  const bare = /^import\s+['"]([^'"]+)['"]/gm;
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  const found = [
    ...[...text.matchAll(statements)].map(([, clause = '', target = '']) => ({
      target,
      names: namesOf(clause, text),
    })),
    ...[...text.matchAll(bare)].map(([, target = '']) => ({ target, names: [] })),
    ...[...text.matchAll(dynamic)].map(([, target = '']) => ({ target, names: ['*'] })),
  ];
  return found.flatMap(({ target, names }) => {
    const imported = resolve(file, target);
    return imported === null ? [] : [{ file: imported, names }];
  });
}

/** `{ a, type B, c as d }`, or `* as all`, of which those count that the text has as members of it. */
function namesOf(clause: string, text: string): string[] {
  const all = /^\* as (\w+)$/.exec(clause)?.[1];
  if (all !== undefined) {
    return [...text.matchAll(new RegExp(`\\b${all}\\.(\\w+)`, 'g'))].map((match) => match[1] ?? '');
  }
  const braces = /\{([^}]*)\}/.exec(clause)?.[1];
  if (braces === undefined) return ['*'];
  return braces
    .split(',')
    .map((part) =>
      part
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/s, ''),
    )
    .filter((name) => name !== '');
}

function resolve(from: string, target: string): string | null {
  const scoped = /^@powernode\/([^/]+)\/(.+)$/.exec(target);
  let base: string;
  if (scoped !== null) base = `packages/${scoped[1]}/${scoped[2]}`;
  else if (target.startsWith('.')) base = path.join(path.dirname(from), target);
  else return null;
  return (
    [base, `${base}.ts`, `${base}.tsx`, base.replace(/\.js$/, '.ts')].find((one) => known.has(one)) ?? null
  );
}
