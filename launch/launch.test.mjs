// The parts of the launcher that can be held in the hand: choosing, comparing, counting.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { matches } from './dependencies.mjs';
import { findNpm, npmEnvironment } from './npm.mjs';
import { root } from './places.mjs';
import { chooseProgram, readPrograms } from './programs.mjs';
import { isNewEnough } from './runtime.mjs';
import { tryAgain } from './second-try.mjs';
import { countReport } from './vitest.mjs';

/** @type {string} */
let folder;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'powernode-launch-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** @type {[string[], string, string[], boolean][]} */
const commandLines = [
  [['up', '--port', '7070'], 'packages/platform/main.ts', ['up', '--port', '7070'], true],
  [['config'], 'packages/platform/main.ts', ['config'], false],
  [['agent', 'join', '--token', 'x'], 'packages/agent/main.ts', ['join', '--token', 'x'], false],
  [['agent', 'build'], 'launch/build-agents.mjs', ['build'], false],
  [['lab', 'up', 'quickstart.yaml'], 'packages/lab/main.ts', ['up', 'quickstart.yaml'], true],
  [['lab', 'status', '--json'], 'packages/lab/main.ts', ['status', '--json'], false],
  [['demo'], 'packages/lab/demo.ts', [], true],
  [['bench', '--only', 'a'], 'bench/main.ts', ['--only', 'a'], false],
  [['test'], 'launch/test.mjs', [], false],
  [['check'], 'launch/check.mjs', [], false],
  [['network', 'list', '--json'], 'packages/cli/main.ts', ['network', 'list', '--json'], false],
  [['*'], 'packages/cli/main.ts', ['*'], false],
  [[], 'packages/cli/main.ts', [], false],
];

test.each(commandLines)('%j starts %s', (args, program, programArgs, needsConsole) => {
  expect(chooseProgram(args)).toMatchObject({ program, args: programArgs, needsConsole });
});

describe('./powernode', () => {
  /** A checkout in which everything is ready and whose Node prints how it was called. */
  function makeCheckout() {
    const checkout = path.join(folder, 'check out');
    mkdirSync(path.join(checkout, 'node_modules'), { recursive: true });
    mkdirSync(path.join(checkout, '.powernode'));
    mkdirSync(path.join(checkout, 'launch'));
    cpSync(path.join(root, 'powernode'), path.join(checkout, 'powernode'));
    cpSync(path.join(root, 'launch/programs.txt'), path.join(checkout, 'launch/programs.txt'));
    const node = path.join(checkout, 'node');
    writeFileSync(node, '#!/bin/sh\nfor word; do echo "$word"; done\n');
    chmodSync(node, 0o755);
    writeFileSync(path.join(checkout, 'package-lock.json'), '{}');
    utimesSync(path.join(checkout, 'package-lock.json'), 1, 1);
    writeFileSync(path.join(checkout, '.powernode/ready'), `${node}\n`);
    return checkout;
  }

  test.each(commandLines.filter(([, , , needsConsole]) => !needsConsole))(
    'chooses for %j as the launcher does',
    (args, program, programArgs) => {
      const checkout = makeCheckout();
      const printed = execFileSync(path.join(checkout, 'powernode'), args, { encoding: 'utf8' });
      expect(printed.split('\n')).toEqual([path.join(checkout, program), ...programArgs, '']);
    },
  );

  test('is found through a symbolic link and keeps arguments with spaces whole', () => {
    const checkout = makeCheckout();
    symlinkSync('check out/powernode', path.join(folder, 'pn'));
    const printed = execFileSync(path.join(folder, 'pn'), ['network', 'create', 'my net'], {
      encoding: 'utf8',
    });
    expect(printed.split('\n')).toEqual([
      path.join(checkout, 'packages/cli/main.ts'),
      'network',
      'create',
      'my net',
      '',
    ]);
  });

  test('says what is needed where there is no Node at all', () => {
    const checkout = makeCheckout();
    rmSync(path.join(checkout, '.powernode/ready'));
    const { status, stderr } = spawnSync('/bin/sh', [path.join(checkout, 'powernode')], {
      encoding: 'utf8',
      env: { PATH: folderWith(['dirname', 'readlink', 'sed']) },
    });
    expect(stderr).toBe(
      'powernode: Node 20 or later and npm are needed; there is no node on the PATH. Install them.\n',
    );
    expect(status).toBe(69);
  });

  function folderWith(/** @type {string[]} */ commands) {
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    for (const command of commands) {
      const found = ['/usr/bin', '/bin']
        .map((place) => path.join(place, command))
        .find((file) => existsSync(file));
      if (found !== undefined) symlinkSync(found, path.join(bin, command));
    }
    return bin;
  }
});

test('every program of the table ends with the one for everything else', () => {
  expect(readPrograms().at(-1)?.words).toBe('*');
});

test.each([
  ['20.20.2', false],
  ['22.23.0', false],
  ['24.0.0', false],
  ['24.2.9', false],
  ['24.3.0', true],
  ['24.21.0', true],
  ['26.0.0', true],
  ['100.1.0', true],
])('Node %s is new enough: %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

describe('node_modules is taken as it is', () => {
  /** @param {Record<string, object>} wanted @param {Record<string, object>} installed */
  function compare(wanted, installed) {
    const lock = path.join(folder, 'package-lock.json');
    const note = path.join(folder, '.package-lock.json');
    writeFileSync(lock, JSON.stringify({ packages: wanted }));
    writeFileSync(note, JSON.stringify({ packages: installed }));
    return matches(lock, note);
  }

  test('when every package is there in its version', () => {
    const a = { 'node_modules/a': { version: '1.0.0' } };
    expect(compare({ '': { version: '0.1.0' }, 'packages/x': {}, ...a }, a)).toBe(true);
  });

  test('without packages for other systems and without links to the workspaces', () => {
    const wanted = {
      'node_modules/@x/darwin': { version: '1.0.0', optional: true },
      'node_modules/@powernode/core': { link: true },
    };
    expect(compare(wanted, {})).toBe(true);
  });

  test('but not when one is missing or of another version', () => {
    const wanted = { 'node_modules/a': { version: '1.0.1' } };
    expect(compare(wanted, {})).toBe(false);
    expect(compare(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBe(false);
  });

  test('but not when it is not there at all', () => {
    writeFileSync(path.join(folder, 'package-lock.json'), '{"packages":{}}');
    expect(matches(path.join(folder, 'package-lock.json'), path.join(folder, 'none'))).toBe(false);
  });
});

test('the npm that runs us is used, but not a yarn that does', () => {
  const npm = path.join(folder, 'npm-cli.js');
  writeFileSync(npm, '');
  expect(findNpm({ npm_execpath: npm, PATH: '' })).toBe(npm);
  const yarn = path.join(folder, 'yarn.js');
  writeFileSync(yarn, '');
  expect(findNpm({ ...process.env, npm_execpath: yarn })).not.toBe(yarn);
});

test('an inner npm sees the brought Node first and nothing of the outer run', () => {
  const environment = npmEnvironment('/brought/bin/node');
  expect(environment.PATH?.startsWith('/brought/bin:')).toBe(true);
  expect(Object.keys(environment).filter((name) => name.startsWith('npm_lifecycle'))).toEqual([]);
});

test('work under the lock never overlaps, and the lock of a dead process is no obstacle', async () => {
  const dead = spawnSync(process.execPath, ['--version']).pid;
  writeFileSync(path.join(folder, 'lock'), String(dead));
  const script = `
    import { appendFileSync } from 'node:fs';
    import { withLock } from ${JSON.stringify(path.join(root, 'launch/lock.mjs'))};
    const [folder] = process.argv.slice(1);
    await withLock(async () => {
      appendFileSync(folder + '/log', 'in ');
      await new Promise((resolve) => setImmediate(resolve));
      appendFileSync(folder + '/log', 'out ');
    }, folder);
  `;
  const contenders = Array.from({ length: 6 }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script, folder], {
      stdio: 'ignore',
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
  });
  await Promise.all(contenders);
  expect(readFileSync(path.join(folder, 'log'), 'utf8')).toBe('in out '.repeat(contenders.length));
  expect(readdirSync(folder)).toEqual(['log']);
});

test('a report counts tests, and a file that broke outside of them as one failure', () => {
  const tests = ['passed', 'failed', 'skipped', 'todo'].map((status) => ({ fullName: status, status }));
  const count = countReport({
    success: false,
    testResults: [
      { name: path.join(root, 'a.test.ts'), status: 'failed', assertionResults: tests },
      { name: path.join(root, 'b.test.ts'), status: 'failed', message: 'no import', assertionResults: [] },
      {
        name: path.join(root, 'c.test.ts'),
        status: 'passed',
        assertionResults: [{ fullName: 'x', status: 'passed' }],
      },
    ],
  });
  expect(count).toEqual({
    passed: 2,
    failed: 2,
    skipped: 2,
    skips: [
      { file: 'a.test.ts', name: 'skipped' },
      { file: 'a.test.ts', name: 'todo' },
    ],
    failures: [
      { file: 'a.test.ts', name: 'failed', message: '' },
      { file: 'b.test.ts', name: '(outside of its tests)', message: 'no import' },
    ],
  });
});

describe('a second try', () => {
  /** @returns {import('./vitest.mjs').TestRun} */
  function runOf(/** @type {Record<string, Record<string, string>>} */ files, project = 'net') {
    const report = {
      success: false,
      testResults: Object.entries(files).map(([name, tests]) => ({
        name: path.join(root, name),
        status: Object.values(tests).includes('failed') ? 'failed' : 'passed',
        assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
      })),
    };
    return { ...countReport(report), projects: [project], report };
  }

  test('runs failed files alone; what fails twice has failed, what failed once is named', async () => {
    /** @type {{ projects: string[], args: string[] | undefined }[]} */
    const tries = [];
    const { runs, failedOnce } = await tryAgain(
      [
        runOf({
          'a.test.ts': { one: 'failed', two: 'failed', three: 'passed' },
          'b.test.ts': { four: 'passed' },
        }),
        runOf({ 'c.test.ts': { five: 'passed' } }, 'labs'),
      ],
      {
        environment: {},
        run: async (projects, options) => {
          tries.push({ projects, args: options?.args });
          return runOf({ 'a.test.ts': { one: 'passed', two: 'failed', three: 'passed' } });
        },
      },
    );
    expect(tries).toEqual([{ projects: ['net'], args: ['--no-file-parallelism', 'a.test.ts'] }]);
    expect(runs.map(({ passed, failed }) => [passed, failed])).toEqual([
      [3, 1],
      [1, 0],
    ]);
    expect(failedOnce.map(({ name }) => name)).toEqual(['one']);
    expect(runs[0]?.failures.map(({ name }) => name)).toEqual(['two']);
  });

  test('does not happen where much failed', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 7 }, (_, index) => [`${index}.test.ts`, { one: 'failed' }]),
    );
    const { runs } = await tryAgain([runOf(files)], {
      environment: {},
      run: () => Promise.reject(new Error('nothing is run')),
    });
    expect(runs.map(({ failed }) => failed)).toEqual([7]);
  });
});
