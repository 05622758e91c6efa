// A request for help only helps: for every word, with everything ready and in a checkout where nothing is installed.
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { asksForHelp } from './help.mjs';
import { root } from './places.mjs';
import { chooseProgram, readPrograms } from './programs.mjs';

const run = promisify(execFile);
/** @type {string[]} */
const folders = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'powernode-help-'));
  folders.push(folder);
  return folder;
}

function script(/** @type {string} */ file, /** @type {string} */ text) {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

/** Whatever would change the machine leaves its name instead. */
const tools = 'apt-get npm npx ip nft wg unshare nsenter setpriv systemctl useradd'.split(' ');

/** @param {string} file @param {readonly string[]} args @param {string} [checkout] */
async function runHarmless(file, args, checkout) {
  const folder = newFolder();
  const home = path.join(folder, 'home');
  mkdirSync(home);
  mkdirSync(path.join(folder, 'bin'));
  for (const tool of tools) script(path.join(folder, 'bin', tool), `echo ${tool} >> ${folder}/called`);
  const files = () => [folder, ...(checkout === undefined ? [] : [checkout])].flatMap(filesIn).sort();
  const before = files();
  const env = {
    PATH: `${folder}/bin:${path.dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: home,
    POWERNODE_DATA_DIR: path.join(home, 'data'),
    POWERNODE_LAB_DIR: path.join(home, 'labs'),
    POWERNODE_STATE_DIR: path.join(home, 'state'),
  };
  const { stdout, stderr } = await run(file, args, { cwd: home, env });
  return { stdout, stderr, changed: files().filter((name) => !before.includes(name)) };
}

function filesIn(/** @type {string} */ folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

/** Every first word, and every word that may follow it. */
const verbs = {
  agent: ['join', 'run', 'status', 'upgrade', 'leave', 'build'],
  lab: [
    'up',
    'status',
    'exec',
    'matrix',
    'cut',
    'heal',
    'partition',
    'unite',
    'break',
    'repair',
    'kill',
    'start',
    'down',
  ],
};
const words = readPrograms().flatMap(({ words: line }) => {
  const [first = '', second] = line.split('+');
  if (first === '*') return [[], ['network'], ['network', 'create'], ['login'], ['mcp'], ['completion']];
  return second === undefined ? [[first]] : [[first, second]];
});
const lines = [
  ...words,
  ...Object.entries(verbs).flatMap(([first, seconds]) => seconds.map((second) => [first, second])),
];

test.concurrent.each([...lines.map((line) => [...line, '--help']), ...words.map((line) => [...line, '-h'])])(
  'powernode %s %s %s only helps [9.19]',
  async (...line) => {
    const { program, args } = chooseProgram(line.filter((word) => word !== undefined));
    const { stdout, stderr, changed } = await runHarmless(process.execPath, [`${root}/${program}`, ...args]);
    expect({ stderr, changed }).toEqual({ stderr: '', changed: [] });
    expect(stdout).toMatch(/powernode|npm (run|test)/);
  },
);

describe('in a checkout where nothing is installed', () => {
  function makeCheckout() {
    const checkout = newFolder();
    for (const part of ['launch', 'powernode', 'package.json', 'package-lock.json'])
      cpSync(path.join(root, part), path.join(checkout, part), { recursive: true });
    return checkout;
  }

  const firstWords = readPrograms().map(({ words: line }) => line.split('+'));
  test.each([...firstWords, ['help'], []])(
    './powernode %s --help installs nothing [9.19]',
    async (...line) => {
      const args = line[0] === '*' ? ['network', 'create'] : line;
      const checkout = makeCheckout();
      const program = path.join(checkout, 'powernode');
      const { stdout, stderr, changed } = await runHarmless(program, [...args, '--help'], checkout);
      expect({ stderr, changed }).toEqual({ stderr: '', changed: [] });
      expect(stdout).toMatch(/powernode|npm (run|test)/);
    },
  );

  test.each(['up', 'test', 'check', 'demo', 'bench'])('nor does npm run %s [9.19]', async (word) => {
    const checkout = makeCheckout();
    const args = [path.join(checkout, 'launch/main.mjs'), word, '--help'];
    const { stderr, changed } = await runHarmless(process.execPath, args, checkout);
    expect({ stderr, changed }).toEqual({ stderr: '', changed: [] });
  });
});

/** Everything seems installed in it; its Node prints what it would start. */
function makeReadyCheckout() {
  const checkout = newFolder();
  mkdirSync(path.join(checkout, 'node_modules'));
  mkdirSync(path.join(checkout, '.powernode'));
  cpSync(path.join(root, 'powernode'), path.join(checkout, 'powernode'));
  cpSync(path.join(root, 'launch'), path.join(checkout, 'launch'), { recursive: true });
  script(path.join(checkout, 'node'), 'echo "$@"');
  writeFileSync(path.join(checkout, 'package-lock.json'), '{}');
  utimesSync(path.join(checkout, 'package-lock.json'), 1, 1);
  writeFileSync(path.join(checkout, '.powernode/ready'), `${checkout}/node\n`);
  return checkout;
}

test('./powernode builds nothing for help of a word that needs the console built [9.19]', async () => {
  const checkout = makeReadyCheckout();
  const { stdout } = await runHarmless(path.join(checkout, 'powernode'), ['up', '--help'], checkout);
  expect(stdout).toBe(`${checkout}/packages/platform/main.ts up --help\n`);
});

test.each([
  [['help'], 'packages/cli/main.ts --help'],

  [['help', 'network', 'create'], 'packages/cli/main.ts network create --help'],
  [['help', 'up'], 'packages/platform/main.ts up --help'],
  [['help', 'agent', 'build'], 'launch/build-agents.mjs build --help'],
  [['help', 'demo'], 'packages/lab/demo.ts --help'],
])('./powernode %j starts %s, once everything is installed [9.19]', async (args, started) => {
  const checkout = makeReadyCheckout();
  const { stdout } = await runHarmless(path.join(checkout, 'powernode'), args, checkout);
  expect(stdout).toBe(`${checkout}/${started}\n`);
});

test.each([
  [['up', '--help'], true],
  [['help'], true],
  [['network', '-h'], true],
  [['up', '--port', '1'], false],
  [['lab', 'exec', 'edge1', '--', 'ping', '-h'], false],
  [[], false],
])('%j asks for help: %s', (args, expected) => {
  expect(asksForHelp(args)).toBe(expected);
});
