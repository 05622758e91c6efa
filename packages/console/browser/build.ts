// Builds the console into a directory of its own, so that tests never look at an old one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';

export interface Built {
  readonly directory: string;
  remove(): Promise<void>;
}

export async function buildConsole(): Promise<Built> {
  const directory = await mkdtemp(join(tmpdir(), 'powernode-console-'));
  await build({
    configFile: join(import.meta.dirname, '..', 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: directory, emptyOutDir: true },
  });
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}
