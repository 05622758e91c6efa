// Test support: a database of its own for each test file, by the path of DATABASE_URL.
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { inject } from 'vitest';
import { openStore, type Store } from './open-store.ts';
import { runAsAdmin, type TestCluster, templateDatabase, urlOf } from './test-cluster.ts';

export interface TestStore {
  readonly store: Store;
  /** For a second process on the same database. */
  readonly databaseUrl: string;
  close(): Promise<void>;
}

export interface TestDatabase {
  readonly name: string;
  readonly databaseUrl: string;
  drop(): Promise<void>;
}

/** Migrated and empty. What is not closed goes with the server at the end of the run. */
export async function openTestStore(): Promise<TestStore> {
  const database = await createDatabase(templateDatabase);
  const { databaseUrl } = database;
  const store = await openStore({ dataDir: '', databaseUrl, log: pino({ level: 'warn' }) });
  return {
    store,
    databaseUrl,
    close: async () => {
      await store.close();
      await database.drop();
    },
  };
}

/** Without any table. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template1');
}

/** The server that all test files of the run share. */
export function testCluster(): TestCluster {
  const cluster: TestCluster | undefined = inject('testCluster');
  if (cluster !== undefined) return cluster;
  throw new Error('No database server for tests: name store/test-cluster.ts as globalSetup of this project');
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const cluster = testCluster();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runAsAdmin(cluster, `create database ${name} template ${template}`);
  return {
    name,
    databaseUrl: urlOf(cluster, name),
    drop: () => runAsAdmin(cluster, `drop database ${name} with (force)`),
  };
}
