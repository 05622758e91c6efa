// A second platform on one DATABASE_URL, as the program: what it needs of the first one, and what it says without.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from '../store/test-database.ts';

let directory: string;
let database: TestDatabase;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'powernode-second-'));
  database = await createEmptyDatabase();
});
afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs `powernode up` until it says that it is up, or ends by itself. */
async function up(name: string): Promise<{ said: string; code: number | null; dataDir: string }> {
  const dataDir = path.join(directory, name);
  const args = ['up', '--port', '0', '--node-port', '0', '--data-dir', dataDir];
  const env = { ...process.env, DATABASE_URL: database.databaseUrl, POWERNODE_SEAL_KEY: '' };
  const program = path.join(import.meta.dirname, '..', 'main.ts');
  const child = spawn(process.execPath, [program, ...args], { env });
  const ended = once(child, 'exit');
  let said = '';
  let log = '';
  child.stderr.on('data', (text: Buffer) => (log += String(text)));
  const over = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      said += String(text);
      // The line about the token is the last one.
      if (said.split('\n').length > 2) resolve();
    });
    child.once('exit', () => resolve());
  });
  await over;
  child.kill('SIGINT');
  await ended;
  return { said: said === '' ? log : said, code: child.exitCode, dataDir };
}

it('needs the key of the first one, and says so before it makes another [9.20]', async () => {
  const first = await up('first');
  expect(first.said).toContain(
    `The administrator's token is in ${path.join(first.dataDir, 'admin-token')}\n`,
  );

  const alone = await up('second');
  expect(alone.code).toBe(78);
  expect(alone.said).toContain('This database belongs to a platform already');
  expect(alone.said).toContain(`to ${path.join(alone.dataDir, 'seal-key')} (mode 0600)`);
  expect(alone.said).toContain('POWERNODE_SEAL_KEY');
  expect(existsSync(path.join(alone.dataDir, 'seal-key'))).toBe(false);

  // Doing what it says helps; and the token that is not here is not named.
  await copyFile(path.join(first.dataDir, 'seal-key'), path.join(alone.dataDir, 'seal-key'));
  const second = await up('second');
  expect(second.said).toContain('Powernode is up: http://127.0.0.1:');
  expect(second.said).toContain("The first administrator's token is not in this data directory");
  expect(second.said).not.toContain(path.join(second.dataDir, 'admin-token'));
});

it('with a key of its own is told whose is needed [9.20]', async () => {
  const dataDir = path.join(directory, 'third');
  await mkdir(dataDir, { mode: 0o700 });
  await writeFile(path.join(dataDir, 'seal-key'), `${Buffer.alloc(32, 5).toString('base64')}\n`, {
    mode: 0o600,
  });
  const third = await up('third');
  expect(third.code).toBe(78);
  expect(third.said).toContain('All platforms of one DATABASE_URL need the same.');
});

it('does not name a token of another database that lies in its directory [9.20]', async () => {
  const first = path.join(directory, 'first');
  const other = path.join(directory, 'fourth');
  await mkdir(other, { mode: 0o700 });
  await copyFile(path.join(first, 'seal-key'), path.join(other, 'seal-key'));
  await writeFile(path.join(other, 'admin-token'), `pnt_${'A'.repeat(43)}\n`, { mode: 0o600 });
  expect((await up('fourth')).said).toContain(
    "The first administrator's token is not in this data directory",
  );
  expect(await readFile(path.join(other, 'admin-token'), 'utf8')).toContain('pnt_A');
});
