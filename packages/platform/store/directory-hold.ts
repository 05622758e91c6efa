// One platform per embedded data directory: who uses it is known by a lock that lives in its own database.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { databaseConnectMs, embeddedRestartFirstMs } from '@powernode/core/limits/database';
import pg from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';

/** Any number, the same for ever: "pwrn" in ASCII, and 1 for this lock. */
const lockClass = 0x7077726e;
const lockObject = 1;

const holderFile = z.object({ pid: z.int(), url: z.string().nullable() });

export interface DirectoryHold {
  /** Where the platform can be met; a second one names it when it is refused. */
  announce(url: string): Promise<void>;
  release(): Promise<void>;
}

export interface HoldOptions {
  readonly dataDir: string;
  readonly connection: pg.ClientConfig;
  readonly log: Logger;
}

/** Takes the lock in a session of its own, and takes it again whenever the server came back. */
export async function holdDirectory(options: HoldOptions): Promise<DirectoryHold> {
  const { dataDir, log } = options;
  const file = path.join(dataDir, 'platform.json');
  let released = false;
  let session: pg.Client | null = null;

  const take = async (): Promise<void> => {
    const client = new pg.Client({ ...options.connection, connectionTimeoutMillis: databaseConnectMs });
    client.on('error', (error) =>
      log.debug({ err: error }, 'the session that holds the data directory broke'),
    );
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>(
      'select pg_try_advisory_lock($1::int, $2::int) as taken',
      [lockClass, lockObject],
    );
    if (rows[0]?.taken !== true) {
      await client.end();
      throw await directoryTaken(dataDir, null);
    }
    client.once('end', () => {
      session = null;
      if (!released) void takeAgain();
    });
    session = client;
  };

  const takeAgain = async (): Promise<void> => {
    while (!released && session === null) {
      // The server is restarting, or its old session has not been noticed to be gone yet.
      await take().catch((error: unknown) => log.debug({ err: error }, 'the data directory is not held yet'));
      if (session === null) await sleep(embeddedRestartFirstMs);
    }
  };

  const write = async (url: string | null): Promise<void> => {
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, `${JSON.stringify({ pid: process.pid, url })}\n`, { mode: 0o600 });
    await rename(draft, file);
  };

  await take();
  await write(null);
  return {
    announce: write,
    release: async () => {
      released = true;
      await rm(file, { force: true });
      await session?.end().catch(() => undefined);
    },
  };
}

/** Looks without taking, so that a platform that is just starting is not disturbed. */
export async function isDirectoryHeld(connection: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: databaseConnectMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(
      `select 1 from pg_locks where locktype = 'advisory' and classid = $1::bigint::oid and objid = $2::bigint::oid and granted`,
      [lockClass, lockObject],
    );
    return rows.length > 0;
  } catch {
    // A server that is just coming up or going down: it is asked again.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function directoryTaken(dataDir: string, pid: number | null): Promise<ProductError> {
  const holder = await readHolder(dataDir);
  const process = pid ?? holder?.pid;
  const url = holder !== null && holder.pid === process ? holder.url : null;
  const who = [process === undefined ? null : `process ${process}`, url]
    .filter((part) => part != null)
    .join(', ');
  return new ProductError(
    'conflict',
    `The data directory ${dataDir} is already used by another platform${who === '' ? '' : ` (${who})`}. Stop that one first, or give this one another --data-dir.`,
  );
}

async function readHolder(dataDir: string): Promise<z.infer<typeof holderFile> | null> {
  try {
    return holderFile.parse(JSON.parse(await readFile(path.join(dataDir, 'platform.json'), 'utf8')));
  } catch {
    // Absent, or being written by that platform: the sentence does without it.
    return null;
  }
}
