// The user of the machine that PostgreSQL runs as when the platform is root's: of its own, made at the first start.
// Not `nobody`, which other programs are too: each of those could read the database's files and signal its processes.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { systemUserAttemptsMax, systemUserRetryMs } from '@powernode/core/limits/database';
import { serverEnvironment } from './server-environment.ts';

export const databaseUser = 'powernode-postgres';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** Of the user by that name; null: there is none. */
export async function idsOf(name: string): Promise<UserIds | null> {
  const [uid, gid] = [await output('id', ['-u', name]), await output('id', ['-g', name])];
  if (!/^\d+\n$/.test(uid) || !/^\d+\n$/.test(gid)) return null;
  return { uid: Number(uid), gid: Number(gid) };
}

/** The ways in which systems make a user without a home, a shell or a password. */
const makers: readonly (readonly [string, ...string[]])[] = [
  [
    'useradd',
    ...['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', '--comment', 'Powernode database', databaseUser],
  ],
  // busybox
  ['adduser', '-S', '-D', '-H', '-h', '/nonexistent', '-s', '/sbin/nologin', databaseUser],
];

export async function ensureDatabaseUser(): Promise<UserIds> {
  for (let attempt = 1; ; attempt++) {
    const found = await idsOf(databaseUser);
    if (found !== null) return found;
    if (attempt > systemUserAttemptsMax) break;
    for (const [command, ...args] of makers) if (await succeeds(command, args)) break;
    // Another start may be at it: the file of users is locked meanwhile.
    if ((await idsOf(databaseUser)) === null) await sleep(systemUserRetryMs);
  }
  throw new ProductError(
    'machine_unsupported',
    `PostgreSQL refuses to run as root, and the user "${databaseUser}" could not be made for it. Make it ("useradd --system --user-group ${databaseUser}"), or start the platform as an ordinary user.`,
  );
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(command, [...args], { env: serverEnvironment, stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, [...args], { env: serverEnvironment, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  return text;
}
