// Runs one postmaster under a small shell that outlives the platform just long enough to stop it.
// It does not decide when to start or to restart: see embedded-server.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedLastWordsMs, embeddedLogLinesKept, embeddedStopMs } from '@powernode/core/limits/database';
import type { Logger } from 'pino';
import { directoryFor, identityOf } from './account.ts';
import type { Cluster } from './cluster.ts';
import { clusterName, directorySetting } from './postmaster.ts';
import { serverEnvironment } from './server-environment.ts';

/**
 * The platform holds the other end of the shell's input. When it ends, for whatever reason, PostgreSQL is told
 * to disconnect everybody, write a checkpoint and end (SIGINT). A postmaster that has only just begun does not
 * hear yet, so it is told until it is gone; one that recovers from a crash would never end by that, so after a while
 * it is cut off (SIGQUIT). Signals meant for the platform do not end the shell first. The
 * folder of the socket goes too, unless a killed postmaster left its socket in it.
 */
const supervisor = `
trap '' HUP INT TERM
exec 3<&0
socket_dir=$1
patience=$2
shift 2
"$@" 3<&- </dev/null &
postmaster=$!
{
  read -r _
  tries=0
  signal=INT
  while [ $tries -lt 60 ] && kill -$signal "$postmaster"; do
    sleep 1
    tries=$((tries + 1))
    [ $tries -lt "$patience" ] || signal=QUIT
  done
} <&3 2>/dev/null &
watcher=$!
exec 3<&-
wait "$postmaster"
status=$?
kill -KILL "$watcher" 2>/dev/null
rmdir "$socket_dir" 2>/dev/null
exit "$status"
`;

/**
 * Small on memory; nothing here weakens durability. `io_method=sync` spares three processes, and WAL for
 * replicas that cannot exist is not written.
 */
const serverSettings = {
  listen_addresses: '',
  // Its OpenSSL is end-of-life (docs/dependencies.md): nothing may ever be read by it.
  ssl: 'off',
  unix_socket_permissions: '0700',
  port: '5432',
  max_connections: '50',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  // The SQLSTATE tells a retryable failure to start from any other, whatever the words are.
  log_line_prefix: '%e ',
} as const;

/**
 * A postmaster says so when it met another one, or what is left of it, on its data directory (F0001), or when
 * the shell of the earlier one has just removed the folder of the socket (58P01).
 */
function isAboutAnother(line: string, socketDir: string): boolean {
  return line.startsWith('F0001 ') || (line.startsWith('58P01 ') && line.includes(socketDir));
}

export interface Postmaster {
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  /** What PostgreSQL said last, oldest line first. */
  lastWords(): string;
  /** True when it gave up because another postmaster, or its remains, held the directory. */
  metAnother(): boolean;
  /** Lets go of the shell: fast shutdown. */
  release(): void;
}

export interface PostmasterOptions {
  readonly cluster: Cluster;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Logger;
}

export function supervisePostmaster(options: PostmasterOptions): Postmaster {
  const { cluster, log } = options;
  const child = spawnSupervisor(options);
  const lines: string[] = [];
  const hear = (line: string) => {
    lines.push(line);
    if (lines.length > embeddedLogLinesKept) lines.shift();
    log.debug({ postgres: line }, 'embedded database');
  };
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', hear);
  // Writing to a shell that is gone is no failure of ours; its exit is what counts.
  child.stdin?.on('error', () => undefined);
  child.on('error', (error) => hear(`cannot run ${cluster.binDir}/postgres: ${error.message}`));
  let ended = false;
  return {
    ended: whenGone(child).then(() => {
      ended = true;
    }),
    hasEnded: () => ended,
    lastWords: () => lines.join('\n'),
    metAnother: () => lines.some((line) => isAboutAnother(line, cluster.socketDir)),
    release: () => {
      child.stdin?.end();
    },
  };
}

/** The shell's end tells; its last words may come a moment later, unless sessions still hold the pipe. */
async function whenGone(child: ChildProcess): Promise<void> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const giveUp = new AbortController();
  const patience = sleep(embeddedLastWordsMs, undefined, { signal: giveUp.signal }).catch(() => undefined);
  await Promise.race([closed, patience]);
  giveUp.abort();
}

function spawnSupervisor(options: PostmasterOptions): ChildProcess {
  const { cluster } = options;
  const settings = {
    ...serverSettings,
    ...options.settings,
    unix_socket_directories: cluster.socketDir,
    cluster_name: clusterName(process.pid),
    [directorySetting]: cluster.clusterDir,
  };
  const command = cluster.account.command('/bin/sh', [
    '-c',
    supervisor,
    'powernode-database',
    cluster.socketDir,
    String(Math.ceil(embeddedStopMs / 1000)),
    path.join(cluster.binDir, 'postgres'),
    '-D',
    directoryFor(cluster.account, cluster.clusterDir),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  return spawn(command.file, command.args, {
    cwd: cluster.clusterDir,
    env: serverEnvironment,
    stdio: ['pipe', 'ignore', 'pipe'],
    // A session of its own: Ctrl-C in the platform's terminal must not reach PostgreSQL before the platform.
    detached: true,
    ...identityOf(command),
  });
}
