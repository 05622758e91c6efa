// The processes of a lab as the kernel lists them. A lab remembers no process ids: whatever belongs to it
// carries a mark in its environment, or lives in the process namespace of a node, and is found by looking.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { labPollMs } from '@powernode/core/limits/lab';
import { type Mark, markOf, markVariable } from './names.ts';

export interface Process {
  readonly pid: number;
  readonly args: readonly string[];
  readonly mark: Mark | null;
  /** Its number in its own process namespace; 1 for the first process of a node. */
  readonly innerPid: number;
  /** Which process namespace: equal texts, same namespace. */
  readonly namespace: string;
  readonly parentPid: number;
}

export function listProcesses(): Process[] {
  const list: Process[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const process = readProcess(Number(entry));
    if (process !== null) list.push(process);
  }
  return list;
}

/** null when it has ended, meanwhile or as a zombie, and for threads of the kernel. */
export function readProcess(pid: number): Process | null {
  try {
    const folder = `/proc/${pid}`;
    const status = readFileSync(`${folder}/status`, 'latin1');
    if (/^State:\s+[ZX]/m.test(status)) return null;
    const args = readFileSync(`${folder}/cmdline`, 'utf8').split('\0').slice(0, -1);
    if (args.length === 0) return null;
    return {
      pid,
      args,
      mark: parseMark(readFileSync(`${folder}/environ`, 'utf8')),
      innerPid: Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid),
      parentPid: Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0),
      namespace: readlinkSync(`${folder}/ns/pid`),
    };
  } catch {
    return null;
  }
}

function parseMark(environment: string): Mark | null {
  const entry = environment.split('\0').find((line) => line.startsWith(`${markVariable}=`));
  return entry === undefined ? null : markOf(entry.slice(markVariable.length + 1));
}

/** The first process of a node's own namespace, by which the node is entered and ended. */
export function findHolder(mark: Mark): Process | null {
  return listProcesses().find((process) => isHolder(process) && isOf(process, mark)) ?? null;
}

export function isHolder(process: Process): boolean {
  return process.innerPid === 1 && process.pid !== 1 && process.args[0] === 'sleep';
}

function isOf(process: Process, mark: Mark): boolean {
  return process.mark?.lab === mark.lab && process.mark.node === mark.node;
}

const looksMax = 6;

/**
 * A process that becomes another program (execve, as agents do at their start) has no words for a moment: it is looked
 * for again before it counts as gone.
 */
export function lookAgain<T>(look: () => T | null): T | null {
  for (let looks = 1; looks < looksMax; looks++) {
    const found = look();
    if (found !== null) return found;
  }
  return look();
}

/** Whatever runs inside a node, its first process excepted. */
export function processesInside(holder: Process): Process[] {
  return listProcesses().filter(
    (process) => process.namespace === holder.namespace && process.pid !== holder.pid,
  );
}

export interface Wait {
  /** What is waited for, to be read after "waited … for". */
  readonly what: string;
  readonly limitMs: number;
  readonly pollMs?: number;
  /** What the last look found instead, for when the limit is over. */
  readonly instead?: () => string;
}

/** Looks until `look` finds something, and says what was missing when the limit is over. */
export async function waitFor<T>(
  wait: Wait,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
): Promise<T> {
  const end = performance.now() + wait.limitMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) {
      const instead = wait.instead === undefined ? '' : `; instead: ${wait.instead()}`;
      throw new ProductError('command_failed', `waited ${wait.limitMs / 1000} s for ${wait.what}${instead}`);
    }
    await delay(wait.pollMs ?? labPollMs);
  }
}

/** Sends a signal; a process that has ended already is as good as one that got it. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export async function waitUntilGone(pids: readonly number[], limitMs: number): Promise<void> {
  const gone = () => pids.every((pid) => readProcess(pid) === null);
  await waitFor({ what: `processes ${pids.join(', ')} to end`, limitMs }, gone);
}
