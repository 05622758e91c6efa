// How to reach the embedded database of a platform that runs, from outside of it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { embeddedUser } from '../../packages/platform/store/embedded/cluster.ts';
import { findPostmaster } from '../../packages/platform/store/embedded/postmaster.ts';

/** For `openStore`, which then has the very pool, role and scopes that the platform has. */
export async function databaseUrlOf(dataDir: string): Promise<string> {
  const running = await findPostmaster(path.join(dataDir, 'postgres'));
  if (running === null) throw new Error(`no database runs in ${dataDir}`);
  const password = (await readFile(path.join(dataDir, 'postgres-password'), 'utf8')).trim();
  const place = new URLSearchParams({ host: running.socketDir, port: '5432' }).toString();
  return `postgres://${embeddedUser}:${encodeURIComponent(password)}@/powernode?${place}`;
}
