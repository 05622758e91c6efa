// Finds the machine's npm and runs it with a chosen Node. Says nothing unless it fails.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { LaunchError } from './places.mjs';

/**
 * @param {{ node: string, args: string[], cwd: string, failure: string }} options
 * @returns {Promise<void>}
 */
export async function runNpm({ node, args, cwd, failure }) {
  const npm = findNpm();
  // npm is a script for Node on every system that matters; anything else is started as it is.
  const [file, ...before] = /\.c?js$/.test(npm) ? [node, npm] : [npm];
  const child = spawn(file, [...before, ...args], {
    cwd,
    env: npmEnvironment(node),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? null : `it ended with ${signal ?? code}`));
  });
  if (ended !== null) {
    throw new LaunchError(`${failure}: ${ended}.\n${npm} ${args.join(' ')} printed:\n${output.trim()}`);
  }
}

/** The npm that runs us, else the one beside the running Node, else the first on the PATH. */
export function findNpm(environment = process.env) {
  const running = environment.npm_execpath;
  if (running !== undefined && path.basename(running) === 'npm-cli.js' && existsSync(running)) return running;
  const folders = [path.dirname(process.execPath), ...(environment.PATH ?? '').split(path.delimiter)];
  for (const folder of folders) {
    const candidate = path.join(folder, 'npm');
    if (folder !== '' && existsSync(candidate)) return realpathSync(candidate);
  }
  throw new LaunchError(
    'npm is needed to install what this project uses, and there is none on the PATH. Install it.',
  );
}

/** Lifecycle scripts see this Node first. What an outer npm says about its own run does not reach the inner one. */
export function npmEnvironment(/** @type {string} */ node) {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(package|lifecycle|command|execpath|node_execpath|config_(local_prefix|prefix|loglevel|silent))/.test(
        name,
      ),
  );
  return { ...Object.fromEntries(inherited), PATH: pathWith(node), NO_COLOR: '1' };
}

export function pathWith(/** @type {string} */ node) {
  return `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`;
}
