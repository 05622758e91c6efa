// A step of the static gate: lints what changed since the last run that found nothing, and what imports it. Without a
// memory of such a run, or with other tools, it lints everything.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gateMemory, tool } from './gate.mjs';
import { hintsFor } from './lint-hints.mjs';
import { filesToLint, memoryOf } from './lint-memory.mjs';
import { root } from './places.mjs';

const memoryFile = `${gateMemory}/lint.json`;

const sources = readSources();
const now = sources && memoryOf(sources, installed());
const files = sources && now && filesToLint(readMemory(), now, sources);
const passed = files?.length === 0 || lint(files);
if (passed && now !== null) remember(now);
process.exitCode = passed ? 0 : 1;

/** @returns {boolean} */
function lint(/** @type {string[] | null} */ files) {
  // What the configuration ignores stays ignored when it is named.
  const some = files === null ? [] : ['--no-error-on-unmatched-pattern', ...files];
  const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const { status, stdout } = spawnSync(tool('oxlint'), ['--type-aware', ...some], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...colours },
    maxBuffer: 16 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(stdout);
  for (const hint of hintsFor(stdout)) console.log(hint);
  return status === 0;
}

/** @returns {Map<string, string> | null} null where they cannot be listed; then the linter says why */
function readSources() {
  try {
    const listed = [
      ...run('git', ['ls-files', '-coz', '--exclude-standard']).split('\0'),
      ...run(tool('oxlint'), ['--debug=files']).split('\n'),
    ];
    const present = [...new Set(listed)].filter((file) => {
      return statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile();
    });
    return new Map(present.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
  } catch {
    return null;
  }
}

function run(/** @type {string} */ command, /** @type {string[]} */ args) {
  return execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** @returns {string[]} */
function installed() {
  return ['.package-lock.json', 'oxlint/package.json', 'oxlint-tsgolint/package.json'].map((file) => {
    try {
      return readFileSync(`${root}/node_modules/${file}`, 'utf8');
    } catch {
      return '';
    }
  });
}

/** @returns {import('./lint-memory.mjs').Memory | null} */
function readMemory() {
  try {
    /** @type {import('./lint-memory.mjs').Memory} */
    const memory = JSON.parse(readFileSync(memoryFile, 'utf8'));
    return memory;
  } catch {
    return null;
  }
}

function remember(/** @type {import('./lint-memory.mjs').Memory} */ memory) {
  // What was changed while the linter read it was not seen for certain.
  const after = readSources();
  if (after === null || JSON.stringify(memoryOf(after, installed())) !== JSON.stringify(memory)) return;
  mkdirSync(gateMemory, { recursive: true });
  const draft = `${memoryFile}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(memory));
  renameSync(draft, memoryFile);
}
