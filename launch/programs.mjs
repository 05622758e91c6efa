// Reads programs.txt: which program a command line starts, and with which arguments. Starts nothing.
import { readFileSync } from 'node:fs';

/**
 * @typedef {{ words: string, program: string, keepsWord: boolean, needsConsole: boolean }} Entry
 * @typedef {{ program: string, args: string[], needsConsole: boolean }} Choice
 */

/** @returns {Entry[]} */
export function readPrograms() {
  return readFileSync(new URL('programs.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [words = '', program = '', word, needs] = line.trim().split(/\s+/);
      return { words, program, keepsWord: word === 'passed', needsConsole: needs === 'console' };
    });
}

/**
 * @param {string[]} args what stands behind `./powernode`
 * @returns {Choice}
 */
export function chooseProgram(args) {
  const [first = '', second = ''] = args;
  const keys = ['*', first, `${first}+${second}`];
  const entry = readPrograms().find(({ words }) => keys.includes(words));
  if (entry === undefined) throw new Error('launch/programs.txt has no line for everything else (*)');
  const { program, keepsWord, needsConsole } = entry;
  return { program, args: keepsWord ? args : args.slice(1), needsConsole };
}
