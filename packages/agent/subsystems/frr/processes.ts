// FRR's processes, found by looking: what runs, with which arguments, in which network namespace. Files that say which
// process is which are not believed, for a process of that number may be another one by now.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { type FrrDaemon, frrDaemons } from './programs.ts';

export interface FrrProcess {
  readonly pid: number;
  readonly daemon: FrrDaemon;
  /** Its arguments without the program. */
  readonly args: readonly string[];
}

/** The port to the processes of the machine. */
export interface FrrProcesses {
  /** Daemons of FRR in this network namespace, whoever started them. */
  list(): FrrProcess[];
  /** The same of one process; null: it ended, or is another program now. */
  get(pid: number): FrrProcess | null;
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** `netNamespace`: of the agent, unless a test has another one. */
export function systemProcesses(netNamespace = '/proc/self/ns/net'): FrrProcesses {
  const here = linkOf(netNamespace);
  const get = (pid: number): FrrProcess | null => {
    // A program that was replaced on the disk runs on under its old name.
    const exe = linkOf(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '');
    if (exe === undefined) return null;
    const daemon = frrDaemons.find((name) => name === path.basename(exe));
    if (daemon === undefined || here === null || linkOf(`/proc/${pid}/ns/net`) !== here) return null;
    // A user's program may have the name too. One without arguments is just starting or ending.
    const args = argumentsOf(pid);
    return args.length === 0 || !isOfSystemUser(pid) ? null : { pid, daemon, args };
  };
  return {
    get,
    list: () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => get(Number(name)) ?? []),
    signal(pid, signal) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        // Ended by itself meanwhile.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    },
  };
}

function linkOf(file: string): string | null {
  try {
    return readlinkSync(file);
  } catch {
    // Ended meanwhile, or a thread of the kernel.
    return null;
  }
}

/** Its user is no person's (`SYS_UID_MAX` of login.defs(5)). */
function isOfSystemUser(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid <= 999;
  } catch {
    return false;
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1);
  } catch {
    return [];
  }
}
