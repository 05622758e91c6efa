// Makes the folders, the password and the files of the embedded database, once. Runs no server.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { socketDirAttemptsMax } from '@powernode/core/limits/database';
import { chooseAccount, directoryFor, enters, identityOf, type ServerAccount } from './account.ts';
import { embeddedMajorVersion, findBinaries } from './binaries.ts';
import { isAlive } from './postmaster.ts';
import { serverEnvironment } from './server-environment.ts';

/** The one login of the embedded server. Queries of the product run under a lesser role. */
export const embeddedUser = 'powernode';

export interface Cluster {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly socketDir: string;
  readonly binDir: string;
  readonly password: string;
  readonly account: ServerAccount;
}

export interface ClusterPlaces {
  readonly dataDir: string;
  /** Of a PostgreSQL other than the one that is brought along. */
  readonly binDir?: string;
}

export async function prepareCluster(places: ClusterPlaces): Promise<Cluster> {
  const dataDir = await makeDataDir(places.dataDir);
  const clusterDir = path.join(dataDir, 'postgres');
  const given = places.binDir ?? (await findBinaries());
  const { account, binDir } = await chooseAccount({ clusterDir, binDir: given });
  const socketDir = await makeSocketDir(dataDir, account);
  await removeAbandoned(dataDir);
  const begun = await readVersion(clusterDir);
  const password = await keepPassword(path.join(dataDir, 'postgres-password'), begun !== null);
  const cluster = { dataDir, clusterDir, socketDir, binDir, password, account };
  if (begun === null) await initialise(cluster);
  else if (begun !== embeddedMajorVersion) {
    throw new ProductError(
      'invalid_configuration',
      `The database in ${clusterDir} was written by PostgreSQL ${begun}; this version brings ${embeddedMajorVersion}. Dump it with the version that wrote it and load it into a new data directory.`,
    );
  }
  return cluster;
}

/** Root's is searchable (not readable) by others, so that PostgreSQL's user can pass without a capability. */
async function makeDataDir(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    return await realpath(dataDir);
  } catch (cause) {
    throw new ProductError(
      'invalid_configuration',
      `The data directory ${dataDir} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/**
 * A socket's whole path must stay below 104 bytes (the smallest limit, on macOS), so it lives in a short one; and
 * PostgreSQL's user has to get there by its path, which it may not where root has a TMPDIR of its own.
 */
export async function makeSocketDir(dataDir: string, account: ServerAccount): Promise<string> {
  const base = tmpdir();
  // PostgreSQL reads a list here: whatever separates or quotes its items must not occur.
  const isShort = base.length <= 60 && /^[\w./+-]+$/.test(base);
  const isOpen = isShort && (account.owner === null || base === '/tmp' || (await enters(account, base)));
  const parent = isOpen ? base : '/tmp';
  // Another user's folder, left by an earlier version, does not stand in the way of this one's.
  const whose = account.owner === null ? '' : `\0${account.owner.uid}`;
  const digest = createHash('sha256').update(`${dataDir}${whose}`).digest('hex').slice(0, 16);
  const dir = path.join(await realpath(parent), `pn-${digest}`);
  for (let attempt = 1; ; attempt++) {
    try {
      return await ownFolder(dir, account);
    } catch (error) {
      // The shell of an earlier server has just removed it.
      if (!isCode(error, 'ENOENT') || attempt === socketDirAttemptsMax) throw error;
    }
  }
}

async function ownFolder(dir: string, account: ServerAccount): Promise<string> {
  await mkdir(dir, { mode: 0o700 }).catch((error: unknown) => {
    if (!isCode(error, 'EEXIST')) throw error;
  });
  const found = await lstat(dir);
  const self = process.getuid?.();
  const wanted = account.owner?.uid ?? self;
  if (account.owner !== null && found.isDirectory() && found.uid === self) {
    await chown(dir, account.owner.uid, account.owner.gid);
  } else if (!found.isDirectory() || found.uid !== wanted || (found.mode & 0o077) !== 0) {
    // The parent is open to everybody: a folder that somebody else put there is not to be trusted.
    throw new ProductError(
      'invalid_configuration',
      `The folder ${dir} for the database's socket exists, but is not a private folder of the user with id ${wanted}. Remove it and start again.`,
    );
  }
  return dir;
}

/** Drafts of first starts that were killed. Those of a living process are left to it. */
async function removeAbandoned(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const pid = /^postgres(?:-password)?\.new-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Its initdb may outlive it by a moment and write again: the next start removes the rest.
    await rm(path.join(dataDir, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function readVersion(clusterDir: string): Promise<string | null> {
  try {
    return (await readFile(path.join(clusterDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Made whole and then linked into place, so that of two first starts both use the same one. */
async function keepPassword(file: string, mustExist: boolean): Promise<string> {
  const kept = await readPassword(file);
  if (kept !== null) return kept;
  if (mustExist) {
    throw new ProductError(
      'invalid_configuration',
      `The database is there, but its password file ${file} is gone. Restore that file from a backup of the data directory.`,
    );
  }
  const draft = `${file}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(32).toString('base64url'));
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(path.dirname(file));
  const made = await readPassword(file);
  if (made === null) throw new Error(`${file} vanished while it was made`);
  return made;
}

async function readPassword(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** In a folder of its own that becomes `postgres` when it is complete: a killed first start leaves no half. */
async function initialise(cluster: Cluster): Promise<void> {
  const { account, clusterDir, dataDir } = cluster;
  const draft = await mkdtemp(path.join(dataDir, `postgres.new-${process.pid}-`));
  const passwordFile = path.join(cluster.socketDir, `password-${randomBytes(4).toString('hex')}`);
  try {
    const handle = await open(passwordFile, 'wx', 0o600);
    await handle.writeFile(cluster.password);
    await handle.close();
    if (account.owner !== null) {
      await chown(passwordFile, account.owner.uid, account.owner.gid);
      await chown(draft, account.owner.uid, account.owner.gid);
    }
    await runInitdb(cluster, draft, ['-U', embeddedUser, `--pwfile=${passwordFile}`]);
    await rename(draft, clusterDir);
    await syncFolder(dataDir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another first start was quicker: its cluster has the same password.
    if (isCode(error, 'ENOTEMPTY') || isCode(error, 'EEXIST')) return;
    throw error;
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function runInitdb(cluster: Cluster, directory: string, args: readonly string[]): Promise<void> {
  const command = cluster.account.command(path.join(cluster.binDir, 'initdb'), [
    '-D',
    directoryFor(cluster.account, directory),
    ...args,
    '--auth=scram-sha-256',
    '--data-checksums',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  const child = spawn(command.file, command.args, {
    cwd: directory,
    env: serverEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...identityOf(command),
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    throw new ProductError(
      'machine_unsupported',
      `The embedded database could not be made in ${cluster.dataDir}: ${stderr.trim() || `initdb ended with ${code}`}`,
    );
  }
}

/** A rename is only kept over a power cut once its folder has reached the disk. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
