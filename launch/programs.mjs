// Reads programs.txt: which program a command line starts, and with which arguments. Starts nothing.
import { readFileSync } from 'node:fs';

/**
 * @typedef {{ words: string, program: string, keepsWord: boolean, needsMachine: boolean, needsConsole: boolean, needsAgents: boolean }} Entry
 * @typedef {{ program: string, args: string[], needsMachine: boolean, needsConsole: boolean, needsAgents: boolean }} Choice
 */

/** @returns {Entry[]} */
export function readPrograms() {
  return readFileSync(new URL('programs.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [words = '', program = '', word, needs = ''] = line.trim().split(/\s+/);
      const first = needs.split(',');
      return {
        words,
        program,
        keepsWord: word === 'passed',
        needsMachine: first.includes('machine'),
        needsConsole: first.includes('console'),
        needsAgents: first.includes('agents'),
      };
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
  const { keepsWord, words: _, ...rest } = entry;
  return { ...rest, args: keepsWord ? args : args.slice(1) };
}
