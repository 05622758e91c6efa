// Which programs a lab starts: those of the same checkout, or for one node others, such as the agent of an earlier commit.
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeNodeFolder } from '../stage/folder.ts';
import { type Mark, nodeFolder } from '../stage/names.ts';
import type { Command } from '../stage/run.ts';

/** The root of the checkout, where the launcher `powernode` is. */
export const checkout = path.resolve(import.meta.dirname, '../../..');

/** In any checkout. */
export const platformSource = 'packages/platform/main.ts';
export const platformProgram = path.join(checkout, platformSource);
export const agentProgram = path.join(checkout, 'packages/agent/main.ts');

const usual = { agent: agentProgram, platform: platformProgram } as const;
export type ProgramKind = keyof typeof usual;

function choiceFile({ lab, node }: Mark): string {
  return path.join(nodeFolder(lab, node), 'program');
}

/** From its next start on the node runs this file: a source for Node, or an executable; null: that of this checkout. */
export async function chooseProgram(mark: Mark, file: string | null): Promise<void> {
  if (file === null) return rm(choiceFile(mark), { force: true });
  await makeNodeFolder(mark.lab, mark.node);
  await writeFile(choiceFile(mark), file);
}

function programOf(kind: ProgramKind, mark: Mark): string {
  const file = choiceFile(mark);
  return existsSync(file) ? readFileSync(file, 'utf8') : usual[kind];
}

export function programCommand(kind: ProgramKind, mark: Mark, args: readonly string[]): Command {
  const program = programOf(kind, mark);
  if (program.endsWith('.ts')) return { program: process.execPath, args: [program, ...args] };
  return { program, args: [...args] };
}

/** Tells by its arguments whether a process is the node's program, run with this first argument. */
export function programSeeker(
  kind: ProgramKind,
  mark: Mark,
  verb: string,
): (args: readonly string[]) => boolean {
  const program = programOf(kind, mark);
  return (args) => {
    const at = args.indexOf(program);
    return at >= 0 && args[at + 1] === verb;
  };
}
