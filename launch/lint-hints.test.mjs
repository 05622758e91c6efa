// Findings that only count lines come with what to do.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tool } from './gate.mjs';
import { hintsFor } from './lint-hints.mjs';
import { root } from './places.mjs';

test('a function and a file that are too long are named with what to do', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'powernode-lint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const body = Array.from({ length: 460 }, (_, i) => `  one(${i});`).join('\n');
  const file = path.join(folder, 'long.mjs');
  writeFileSync(file, `export function long(one) {\n${body}\n}\n`);
  // As the repository has them, without the rules that need types and seconds.
  /** @type {{ rules: Record<string, unknown> }} */
  const { rules } = JSON.parse(readFileSync(path.join(root, '.oxlintrc.json'), 'utf8'));
  const config = path.join(folder, 'config.json');
  const counting = ['max-lines', 'max-lines-per-function'].map((name) => [name, rules[name]]);
  writeFileSync(config, JSON.stringify({ rules: Object.fromEntries(counting) }));
  const args = ['--config', config, file];
  const { stdout } = spawnSync(tool('oxlint'), args, { encoding: 'utf8', cwd: folder });
  expect(hintsFor(stdout)).toEqual([
    expect.stringMatching(/^max-lines: .*450 lines/),
    expect.stringMatching(/^max-lines-per-function: .*70 lines/),
  ]);
  expect(hintsFor('eslint(no-var)')).toEqual([]);
});
