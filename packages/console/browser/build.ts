// Once per run of vitest: builds the console into a directory of its own, so that tests never look at an old one.
// Named as globalSetup in vitest.config.ts; the stage serves what it built, and a platform that is started as a program
// serves a copy of it from where every platform does.
import { cp, mkdtemp, rm } from 'node:fs/promises';
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
  const served = join(import.meta.dirname, '..', 'dist');
  await rm(served, { recursive: true, force: true });
  await cp(directory, served, { recursive: true });
  project.provide('consoleDirectory', directory);
  return () => rm(directory, { recursive: true, force: true });
}
