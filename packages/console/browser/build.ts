// Once per run of vitest: builds the console into a directory of its own, so that tests never look at an old one.
// Named as globalSetup in vitest.config.ts; the stage serves what it built.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    consoleDirectory: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'powernode-console-'));
  await build({
    configFile: join(import.meta.dirname, '..', 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: directory, emptyOutDir: true },
  });
  project.provide('consoleDirectory', directory);
  return () => rm(directory, { recursive: true, force: true });
}
