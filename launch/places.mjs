// Where the launcher keeps what it brought, and how it fails: in one sentence, without a stack.
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
export const state = `${root}/.powernode`;

/** For a person: what is wrong, where, and what to do. */
export class LaunchError extends Error {}

/** Progress goes to stderr, so that what a program prints stays readable for machines. */
export function say(/** @type {string} */ text) {
  process.stderr.write(`powernode: ${text}\n`);
}

/** @returns {string | null} Node's code of a failed system call */
export function codeOf(/** @type {unknown} */ error) {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
