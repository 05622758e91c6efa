// The launcher: brings Node and the dependencies, builds what is stale, starts the program of a command line.
// It runs on any Node from 20 on, before anything is installed, so it imports nothing but Node itself.
import { spawn, spawnSync } from 'node:child_process';
import { ensureAgents } from './agents.mjs';
import { ensureConsole } from './console.mjs';
import { ensureDependencies, isInstalled, noteReady } from './dependencies.mjs';
import { asksForHelp, helpText } from './help.mjs';
import { pathWith } from './npm.mjs';
import { codeOf, LaunchError, root } from './places.mjs';
import { chooseProgram } from './programs.mjs';
import { ensureRuntime, findRuntime } from './runtime.mjs';

/** ./powernode asks for everything but the start: it becomes the program itself, with no launcher beside it. */
const prepareOnly = process.argv[2] === '--prepare';

const cannotWrite = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC']);

async function main(/** @type {string[]} */ args) {
  const choice = chooseProgram(args);
  if (asksForHelp(args)) return help(args, choice);
  const node = await ensureRuntime();
  if (choice.needsMachine && !isMachineReady(node, args)) return;
  await ensureDependencies(node);
  noteReady(node);
  if (choice.needsConsole) await ensureConsole(node);
  if (choice.needsAgents) await ensureAgents();
  if (!prepareOnly) start({ node, ...choice });
}

/** The program's own where it can run as it is; nothing is brought for it. */
function help(/** @type {string[]} */ args, /** @type {import('./programs.mjs').Choice} */ choice) {
  const node = isInstalled() ? findRuntime() : null;
  if (node !== null) start({ node, ...choice });
  else process.stdout.write(helpText(args[0]));
}

/** Before anything else is brought: nobody waits for an installation to learn that a program is missing. */
function isMachineReady(/** @type {string} */ node, /** @type {string[]} */ [word = '']) {
  const { status, error } = spawnSync(node, [`${root}/launch/look.mjs`, word], { stdio: 'inherit' });
  if (error !== undefined) throw new LaunchError(`${node} does not start: ${error.message}`);
  process.exitCode = status ?? 1;
  return status === 0;
}

function start(/** @type {{ node: string, program: string, args: string[] }} */ { node, program, args }) {
  const child = spawn(node, [`${root}/${program}`, ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: pathWith(node) },
  });
  // A terminal sends these to the program as well; passing them on would look like a second, impatient one.
  const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  const passOn = (/** @type {NodeJS.Signals} */ signal) => {
    if (signal === 'SIGTERM' || !atTerminal) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, passOn);
  child.once('error', (error) => fail(new LaunchError(`${node} does not start: ${error.message}`)));
  child.once('exit', (code, signal) => {
    for (const name of signals) process.off(name, passOn);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

function fail(/** @type {unknown} */ error) {
  process.exitCode = 69;
  if (error instanceof LaunchError) process.stderr.write(`powernode: ${error.message}\n`);
  else if (cannotWrite.has(codeOf(error) ?? '')) {
    process.stderr.write(
      `powernode: ${root} cannot be written (${String(error)}). Start once as its owner.\n`,
    );
  } else throw error;
}

await main(process.argv.slice(prepareOnly ? 3 : 2)).catch(fail);
