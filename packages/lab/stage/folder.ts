// A lab's folder on disk: its record, and a folder for each node with logs, keys and data. Everything that a
// lab leaves on disk is in there, so that removing it removes the lab.
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { labLogTailLines } from '@powernode/core/limits/lab';
import { z } from 'zod';
import { acceptSpec } from '../plan/read.ts';
import { type LabSpec, labSpec } from '../plan/spec.ts';
import { baseFolder, labFolder, nodeFolder } from './names.ts';

/** 0711: a database that runs as another user has to pass through, and nobody else may look. */
export async function makeNodeFolder(lab: string, node: string): Promise<string> {
  const folder = nodeFolder(lab, node);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  return folder;
}

/** What cannot be read from the kernel or worked out again from the specification. */
export interface LabRecord {
  readonly spec: LabSpec;
  readonly public: { readonly prefix4: string; readonly prefix6: string };
  /** Operators' ports of the platforms on 127.0.0.1. */
  readonly ports: Readonly<Record<string, number>>;
  /** The instance that each host became when it joined. */
  readonly instances: Readonly<Record<string, string>>;
}

const recordShape = z.strictObject({
  spec: z.custom<z.input<typeof labSpec>>((value) => labSpec.safeParse(value).success),
  public: z.strictObject({ prefix4: z.string(), prefix6: z.string() }),
  ports: z.record(z.string(), z.int()),
  instances: z.record(z.string(), z.string()),
});

export async function writeRecord(record: LabRecord): Promise<void> {
  const file = recordFile(record.spec.name);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o711 });
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  await rename(fresh, file);
}

/** null when there is no such lab. */
export async function readRecord(lab: string): Promise<LabRecord | null> {
  const file = recordFile(lab);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    const record = recordShape.parse(JSON.parse(text));
    return { ...record, spec: acceptSpec(record.spec) };
  } catch (cause) {
    const what = `${file} is not a record of a lab; remove what is left with: powernode lab down ${lab}`;
    throw new ProductError('invalid_configuration', what, { cause });
  }
}

function recordFile(lab: string): string {
  return path.join(labFolder(lab), 'lab.json');
}

/** The labs that have a folder. */
export async function labsOnDisk(): Promise<string[]> {
  const entries = await readdir(baseFolder(), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Removes the lab's folder, and the folder of all labs when it was the last. */
export async function removeFolder(lab: string): Promise<void> {
  await rm(labFolder(lab), { recursive: true, force: true, maxRetries: 5 });
  await rmdir(baseFolder()).catch(() => undefined);
}

/** The end of a log, indented, to stand in an error. */
export async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-labLogTailLines);
  if (text.trim() === '') return `${file} is empty`;
  return `the end of ${file}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
