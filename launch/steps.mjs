// Runs commands side by side and prints each with its time and, when it failed, with what it said.
import { spawn } from 'node:child_process';
import { root } from './places.mjs';

/**
 * @typedef {{ name: string, command: string, args: string[] }} Step
 * @typedef {{ passed: number, failed: number }} StepCount
 */

/**
 * @param {Step[]} steps
 * @param {{ atOnce: number }} options
 * @returns {Promise<StepCount>}
 */
export async function runSteps(steps, { atOnce }) {
  const waiting = [...steps];
  const count = { passed: 0, failed: 0 };
  const work = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      if (await runStep(step)) count.passed++;
      else count.failed++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return count;
}

/** @returns {Promise<boolean>} */
async function runStep(/** @type {Step} */ { name, command, args }) {
  const begin = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  }
  /** @type {boolean} */
  const passed = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${seconds.padStart(5)} s  ${name}\n`);
  if (!passed) process.stdout.write(`${output.trim()}\n`);
  return passed;
}
