// ARCHITECTURE.md as a test: every file and folder that it names is there, so that a walk by it ends nowhere.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from './imports.ts';

const page = readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
/** Paths in backticks, from the root of the repository or from `packages/`. */
const named = [...page.matchAll(/`([\w.-]+(?:\/[\w.-]+)+)\/?`/g)].map((match) => match[1] ?? '');

test('ARCHITECTURE.md names files and folders that exist', () => {
  expect(named.length).toBeGreaterThan(50);
  const exists = (file: string) =>
    existsSync(path.join(root, file)) || existsSync(path.join(root, 'packages', file));
  const wrong = named.filter((file) => !exists(file));
  expect(
    wrong.map(
      (file) => `${file}: name the file that does this now, by its path from the root or from packages/`,
    ),
  ).toEqual([]);
});

test('each step of the walk is one sentence', () => {
  const steps = [...page.matchAll(/^\d+\. (.+)$/gm)].map(([, text = '']) =>
    text.replaceAll(/`[^`]*`|\([^)]*\)/g, ''),
  );
  expect(steps.length).toBeGreaterThan(15);
  expect(steps.filter((text) => (text.match(/[.!?](?=\s|$)/g) ?? []).length !== 1)).toEqual([]);
});
