// What is sent to browsers: little, from here only, and nothing that the content policy would refuse.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, inject, it } from 'vitest';

/** What the first page needs before it shows anything, compressed. React and the router are most of it. */
const entryBytesMax = 150_000;
/** The drawing library is fetched apart from it. */
const partBytesMax = 75_000;

const built = inject('consoleDirectory');
let files: Map<string, string>;

beforeAll(async () => {
  const names = await readdir(join(built, 'assets'));
  const scripts = names.filter((name) => name.endsWith('.js'));
  files = new Map(
    await Promise.all(
      scripts.map(async (name) => [name, await readFile(join(built, 'assets', name), 'utf8')] as const),
    ),
  );
});

const entry = () => readFile(join(built, 'index.html'), 'utf8');

it('starts with one script of its own and nothing inline', async () => {
  const page = await entry();
  expect(page.match(/<script[^>]*>/g)).toEqual([
    expect.stringMatching(/^<script type="module" crossorigin src="\/assets\/index-[\w-]+\.js">$/),
  ]);
  expect(page).not.toMatch(/<style|\son\w+=/);
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
});

it('is small', async () => {
  const page = await entry();
  const needed = [...page.matchAll(/\/assets\/([\w.-]+\.js)/g)].map((match) => match[1] ?? '');
  const sizeOf = (name: string) => gzipSync(files.get(name) ?? '').length;
  expect(needed.reduce((sum, name) => sum + sizeOf(name), 0)).toBeLessThan(entryBytesMax);
  for (const name of files.keys()) {
    if (!needed.includes(name)) expect(sizeOf(name), name).toBeLessThan(partBytesMax);
  }
});

it('has no schema library, nothing of Node, and draws networks only where one is looked at', () => {
  for (const [name, text] of files) {
    expect(text, name).not.toMatch(/ZodError|node:crypto|new Function\(|\beval\(/);
    if (!name.startsWith('topology-map')) expect(text, name).not.toContain('react-flow__');
  }
});
