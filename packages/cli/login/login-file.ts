// Where `powernode login` keeps what it was given: one file for its owner's eyes only.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import type { World } from '../world.ts';

const loginFile = z.object({
  url: z.url(),
  token: z.string().min(1),
  /** The certificate of the platform's authority, when it is not one that every machine trusts. */
  authority_pem: z.string().optional(),
});
export type Login = z.infer<typeof loginFile>;

export function loginPath(env: World['env']): string {
  const configured = env['XDG_CONFIG_HOME'];
  // The XDG base directory specification says that relative paths are to be ignored.
  const base =
    configured !== undefined && path.isAbsolute(configured)
      ? configured
      : path.join(env['HOME'] ?? homedir(), '.config');
  return path.join(base, 'powernode', 'login.json');
}

export async function readLogin(env: World['env']): Promise<Login | null> {
  const file = loginPath(env);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(file, (error as Error).message);
  }
  try {
    return loginFile.parse(JSON.parse(text));
  } catch {
    throw unusable(file, 'it was not written by powernode login');
  }
}

export async function writeLogin(env: World['env'], login: Login): Promise<string> {
  const file = loginPath(env);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, file);
  return file;
}

/** Whether there was one to remove. */
export async function removeLogin(env: World['env']): Promise<boolean> {
  const there = (await readLogin(env).catch(() => true)) !== null;
  await rm(loginPath(env), { force: true });
  return there;
}

function unusable(file: string, why: string): ProductError {
  return new ProductError(
    'invalid_configuration',
    `${file} cannot be used: ${why}. Run powernode login again.`,
  );
}
