// Where the sealing key comes from: POWERNODE_SEAL_KEY, or a file that only its owner can read. Sealing: seal.ts.
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { SealKey } from './seal.ts';

export interface SealKeySource {
  readonly dataDir: string;
  /** The value of POWERNODE_SEAL_KEY; null when it is not set. */
  readonly sealKey: string | null;
  /** Whether the database holds secrets already, which a new key would not open. */
  readonly hasSecrets?: () => Promise<boolean>;
}

const fileName = 'seal-key';

/** The platform's sealing key. Without one in the configuration a file is made at the first start. */
export async function openSealKey({ dataDir, sealKey, hasSecrets }: SealKeySource): Promise<SealKey> {
  if (sealKey !== null) return SealKey.parse(sealKey, 'POWERNODE_SEAL_KEY');
  const file = path.join(dataDir, fileName);
  const kept = await readKeyFile(file);
  if (kept !== null) return kept;
  if ((await hasSecrets?.()) !== true) return makeKeyFile(file);
  throw new ProductError(
    'invalid_configuration',
    `This database belongs to a platform already, and the key that its secrets are sealed with is not here. Copy the file ${fileName} of that platform's data directory to ${file} (mode 0600), or set POWERNODE_SEAL_KEY to the same value for all platforms of this database. Nothing was changed.`,
  );
}

async function readKeyFile(file: string): Promise<SealKey | null> {
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return null;
  if (!found.isFile()) {
    throw new ProductError(
      'invalid_configuration',
      `${file} must be a plain file that holds the sealing key.`,
    );
  }
  const mode = found.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new ProductError(
      'invalid_configuration',
      `${file} can be read or written by others (mode 0${mode.toString(8)}). Anyone who has read it can open every sealed secret. If that is ruled out, run "chmod 600 ${file}" and start again.`,
    );
  }
  return SealKey.parse(await readFile(file, 'utf8'), file);
}

/** The file appears whole or not at all, and the first of two processes wins. */
async function makeKeyFile(file: string): Promise<SealKey> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const { key, text } = SealKey.make();
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
    await syncDirectory(path.dirname(file));
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const theirs = await readKeyFile(file);
    if (theirs === null) throw error;
    return theirs;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Secrets sealed under a key whose name did not reach the disk would be lost with the power. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
