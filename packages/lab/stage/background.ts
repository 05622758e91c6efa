// Starting what goes on after the command has ended: a platform or an agent, with its output in a log.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type Mark, markEnvironment } from './names.ts';
import { type Command, toolPath } from './run.ts';

export interface Background {
  readonly command: Command;
  readonly mark: Mark;
  readonly log: string;
  readonly groupId?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A child that outlives this process. Its environment is the lab's, not the caller's: no database address or
 * token of the caller gets into a lab by accident. */
export interface Started {
  readonly pid: number;
  /** Why it ended, or null while it runs. */
  readonly ended: () => string | null;
}

export function startBackground(what: Background): Promise<Started> {
  const log = openSync(what.log, 'a', 0o600);
  return new Promise((resolve, reject) => {
    const child = spawn(what.command.program, [...what.command.args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...plainEnvironment(), ...what.environment, ...markEnvironment(what.mark) },
      ...(what.groupId === undefined ? {} : { gid: what.groupId }),
    });
    closeSync(log);
    let end: string | null = null;
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      end = signal === null ? `exit code ${code}` : `signal ${signal}`;
    });
    child.on('spawn', () => {
      child.unref();
      resolve({ pid: child.pid ?? 0, ended: () => end });
    });
  });
}

const kept = ['HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_COMPILE_CACHE'] as const;

function plainEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { PATH: toolPath };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
