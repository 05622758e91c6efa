// A Node program as a process of its own: what it says, where its inspector listens, and how it is ended.
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ending } from './endings.ts';

export const checkout = path.join(import.meta.dirname, '..', '..');

export interface Program {
  /** Arguments of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** From the top of the checkout; null: the program is in the arguments of Node. */
  readonly file: string | null;
  readonly args: readonly string[];
  /** The line that says that it is ready; its first group is what `start` answers. */
  readonly ready: RegExp;
}

export interface Started {
  readonly pid: number;
  /** What the first group of `ready` matched. */
  readonly said: string;
  /** From the start of the process until it said so. */
  readonly readyMs: number;
  /** Where its inspector listens; null: it has none. */
  readonly inspectorUrl: string | null;
  stop(): Promise<void>;
}

/** What a program said last is enough for a cause. */
const linesKept = 30;
const readyWithinMs = 120_000;
const stopWithinMs = 30_000;

export async function start(program: Program): Promise<Started> {
  const began = performance.now();
  const file = program.file === null ? [] : [program.file];
  const child = spawn(process.execPath, [...(program.nodeArgs ?? []), ...file, ...program.args], {
    cwd: checkout,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let asked = false;
  const stop = ending(() => {
    asked = true;
    return endChild(child);
  });
  const lines: string[] = [];
  const said = await new Promise<string>((resolve, reject) => {
    const fail = (what: string) =>
      reject(new Error(`${program.file ?? 'the program'} ${what}:\n${lines.join('\n')}`));
    const late = setTimeout(() => fail(`is not ready after ${readyWithinMs} ms`), readyWithinMs);
    const hear = (line: string) => {
      lines.push(line);
      if (lines.length > linesKept) lines.splice(1, 1);
      const match = program.ready.exec(line);
      if (match === null) return;
      clearTimeout(late);
      resolve(match[1] ?? '');
    };
    createInterface({ input: child.stdout }).on('line', hear);
    createInterface({ input: child.stderr }).on('line', hear);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const what = `ended with ${code ?? signal}`;
      fail(what);
      // Whoever uses it then only finds that nothing answers.
      if (!asked && code !== 0)
        process.stderr.write(`${program.file ?? 'the program'} ${what}:\n${lines.join('\n')}\n`);
    });
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const readyMs = performance.now() - began;
  const inspectorUrl = /^Debugger listening on (ws:\S+)/m.exec(lines.join('\n'))?.[1] ?? null;
  return { pid: child.pid ?? 0, said, readyMs, inspectorUrl, stop };
}

/** Asks it to end, and makes sure that it has. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(late);
}
