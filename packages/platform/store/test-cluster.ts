// Test support, once per run of vitest: a PostgreSQL server for all test files, and a migrated template in it.
// Named as globalSetup in vitest.config.ts; test files use test-database.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbeddedServer } from './embedded-server.ts';
import { openStore } from './open-store.ts';

export interface TestCluster {
  readonly socketDir: string;
  readonly user: string;
  readonly password: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    testCluster: TestCluster;
  }
}

export const templateDatabase = 'powernode_template';

/** Each open store has up to ten sessions, and test files run beside each other. */
const settings = { max_connections: '200', fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-test-'));
  const log = pino({ level: 'warn' });
  const server = await startEmbeddedServer({ dataDir, log, settings });
  const tearDown = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const { host = '', user = '', password = '' } = server.connection('postgres');
    const cluster: TestCluster = { socketDir: host, user, password: String(password) };
    await runAsAdmin(cluster, `create database ${templateDatabase}`);
    const store = await openStore({ dataDir, databaseUrl: urlOf(cluster, templateDatabase), log });
    await store.close();
    project.provide('testCluster', cluster);
  } catch (error) {
    await tearDown();
    throw error;
  }
  return tearDown;
}

export function urlOf({ user, password, socketDir }: TestCluster, database: string): string {
  return `postgres://${user}:${password}@/${database}?host=${encodeURIComponent(socketDir)}`;
}

export async function runAsAdmin(cluster: TestCluster, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(cluster, 'postgres') });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
