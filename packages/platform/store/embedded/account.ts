// Decides as which user of the machine PostgreSQL runs, and how a command becomes that user's.
// PostgreSQL refuses root, so a platform started by root hands it to a user of its own, without any capability.
import { spawn } from 'node:child_process';
import { chown, lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { copyBinaries } from './binaries.ts';
import { serverEnvironment } from './server-environment.ts';
import { ensureDatabaseUser, idsOf, type UserIds } from './system-user.ts';

export interface AccountCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerAccount {
  /** Null: PostgreSQL runs as whoever runs the platform, and nothing has to change hands. */
  readonly owner: UserIds | null;
  command(file: string, args: readonly string[]): AccountCommand;
}

export interface AccountPlaces {
  readonly clusterDir: string;
  readonly binDir: string;
}

export interface ChosenAccount {
  readonly account: ServerAccount;
  /** Where that user can run PostgreSQL from: the given place, or a copy of it. */
  readonly binDir: string;
}

/**
 * PostgreSQL's name for its directory, in which it is started. Some parent folder may be closed to its user (root's
 * home is): a process that is in a folder needs no right to reach it, and a capability to pass through would let it
 * read every file of the machine.
 */
export function directoryFor(account: ServerAccount, directory: string): string {
  return account.owner === null ? directory : '/proc/self/cwd';
}

export async function chooseAccount(places: AccountPlaces): Promise<ChosenAccount> {
  const self = process.getuid?.();
  const earlier = await ownerOf(places.clusterDir);
  if (self !== 0) {
    if (earlier !== null && earlier.uid !== self) {
      throw new ProductError(
        'invalid_configuration',
        `The database in ${places.clusterDir} belongs to the user with id ${earlier.uid}, but the platform runs as ${self}. Start it as root or as that user, or choose another data directory.`,
      );
    }
    const account: ServerAccount = { owner: null, command: (file, args) => ({ file, args }) };
    return { account, binDir: places.binDir };
  }
  return accountThatReaches(await ownerFor(earlier), places.binDir);
}

/** A cluster that an ordinary user began stays that user's; root only helps out. Earlier versions used `nobody`. */
async function ownerFor(earlier: UserIds | null): Promise<UserIds> {
  if (earlier === null || earlier.uid === 0) return ensureDatabaseUser();
  const nobody = await idsOf('nobody');
  return earlier.uid === nobody?.uid ? ensureDatabaseUser() : earlier;
}

async function accountThatReaches(owner: UserIds, given: string): Promise<ChosenAccount> {
  const bare = withoutCapabilities(owner);
  // Containers may withhold what it takes to give more up than a change of user does.
  const account = (await runs(bare, '/bin/true', [])) ? bare : plainly(owner);
  if (await reaches(account, given)) return { account, binDir: given };
  const binDir = await copyBinaries(given);
  if (await reaches(account, binDir)) return { account, binDir };
  throw new ProductError(
    'machine_unsupported',
    `PostgreSQL refuses to run as root, and the user with id ${owner.uid} can run it neither in ${given} nor in ${binDir}. Mount /proc and allow programs to run from there, or start the platform as an ordinary user.`,
  );
}

function plainly(owner: UserIds): ServerAccount {
  return { owner, command: (file, args) => ({ file, args, ...owner }) };
}

/** No capability now, none by a program that would give some, and no other user by one that would change it. */
function withoutCapabilities(owner: UserIds): ServerAccount {
  const who = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  const none = ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs'];
  return {
    owner,
    command: (file, args) => ({ file: 'setpriv', args: [...who, ...none, '--', file, ...args] }),
  };
}

/** Asks the kernel instead of computing it from modes: access lists and mounts count too. */
function reaches(account: ServerAccount, binDir: string): Promise<boolean> {
  const script = 'cd "$1" && "$2/postgres" --version';
  return runs(account, '/bin/sh', ['-c', script, 'sh', directoryFor(account, '/'), binDir]);
}

/** Whether that user gets into a folder by its path. */
export function enters(account: ServerAccount, folder: string): Promise<boolean> {
  return runs(account, '/bin/sh', ['-c', 'cd "$1"', 'sh', folder]);
}

async function runs(account: ServerAccount, file: string, args: readonly string[]): Promise<boolean> {
  const probe = account.command(file, args);
  const child = spawn(probe.file, probe.args, {
    cwd: '/',
    env: serverEnvironment,
    stdio: 'ignore',
    ...identityOf(probe),
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** The part of a command that `spawn` takes as options. */
export function identityOf(command: AccountCommand): { uid?: number; gid?: number } {
  return command.uid === undefined || command.gid === undefined ? {} : { uid: command.uid, gid: command.gid };
}

/** Gives a cluster of an earlier version to its user. The folder itself comes last: cut off, it is begun anew. */
export async function handOver(clusterDir: string, owner: UserIds): Promise<void> {
  if ((await ownerOf(clusterDir))?.uid === owner.uid) return;
  for (const name of await readdir(clusterDir)) await handOverAll(path.join(clusterDir, name), owner);
  await chown(clusterDir, owner.uid, owner.gid);
}

/** Not what a symbolic link leads to, which need not be of the cluster. */
async function handOverAll(place: string, owner: UserIds): Promise<void> {
  const found = await lstat(place);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) {
    for (const name of await readdir(place)) await handOverAll(path.join(place, name), owner);
  }
  await chown(place, owner.uid, owner.gid);
}

async function ownerOf(dir: string): Promise<UserIds | null> {
  return stat(dir).then(
    (found) => ({ uid: found.uid, gid: found.gid }),
    () => null,
  );
}
