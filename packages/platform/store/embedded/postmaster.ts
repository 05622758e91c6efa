// Recognises a PostgreSQL that already runs on a data directory, by its pid file and its command line.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

export interface RunningPostmaster {
  readonly pid: number;
  readonly socketDir: string;
  /** Process id of the platform that started it; null when it was started by hand. */
  readonly platformPid: number | null;
}

/** Carries the platform's process id into the postmaster's command line, where the next platform reads it. */
export function clusterName(platformPid: number): string {
  return `powernode-${platformPid}`;
}

/** A setting without a meaning, by which the command line says of which directory this server is. */
export const directorySetting = 'powernode.directory';

/** Null when none runs. A stale pid file whose number another program has now is no postmaster of ours. */
export async function findPostmaster(clusterDir: string): Promise<RunningPostmaster | null> {
  const lines = (await readFile(path.join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return null;
  const args = await commandLine(pid);
  // Earlier versions named the directory itself.
  const names = [`${directorySetting}=${clusterDir} `, `-D ${clusterDir} `];
  if (args === null || !names.some((name) => args.includes(name)) || !/\bpostgres\b/.test(args)) return null;
  const platformPid = /cluster_name=powernode-(\d+)/.exec(args)?.[1];
  return {
    pid,
    socketDir: lines[4] ?? '',
    platformPid: platformPid === undefined ? null : Number(platformPid),
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Its arguments joined by spaces, one at the end too; empty for a zombie, null when it cannot be seen. */
async function commandLine(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (text) => text.replaceAll('\0', ' '),
      () => null,
    );
  }
  return promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => `${stdout.trim()} `,
    () => null,
  );
}
