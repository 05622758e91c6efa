// The embedded server on real directories: made once, kept, restarted, refused to a second platform.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { chmod, lchown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import { type Logger, pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBinaries } from './embedded/binaries.ts';
import { ledger, numbersIn } from './embedded/ledger.fixture.ts';
import { findPostmaster, isAlive } from './embedded/postmaster.ts';
import { databaseUser, idsOf } from './embedded/system-user.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { openStore, type Store } from './open-store.ts';
import { inPlatform } from './tenancy.ts';

const log = pino({ level: 'silent' });
const isRoot = process.getuid?.() === 0;
let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-store-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await until(async () => (await runningPid()) === null);
  await rm(dataDir, { recursive: true, force: true });
});

function open(to: Logger = log): Promise<Store> {
  return openStore({ dataDir, databaseUrl: null, log: to, migrations: [ledger] });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}

async function runningPid(): Promise<number | null> {
  return (await findPostmaster(path.join(dataDir, 'postgres')))?.pid ?? null;
}

/** A platform in a process of its own that writes without pause; `acknowledged` grows as it does. */
async function startPlatform(): Promise<{ child: ChildProcess; acknowledged: number[] }> {
  const fixture = fileURLToPath(new URL('./embedded/platform.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [fixture, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const acknowledged: number[] = [];
  let isOpen = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'open') isOpen = true;
    else acknowledged.push(Number(line));
  });
  await until(async () => isOpen && acknowledged.length > 0);
  return { child, acknowledged };
}

async function write(store: Store, number: number): Promise<void> {
  await inPlatform(store, (trx) => sql`insert into ledger (number) values (${number})`.execute(trx));
}

test('a first start makes a private, durable server that listens on no network', async () => {
  const store = await open();
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings
    where name in ('listen_addresses', 'fsync', 'synchronous_commit', 'data_checksums', 'server_encoding')
    order by name
  `.execute(store.db);
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    data_checksums: 'on',
    fsync: 'on',
    listen_addresses: '',
    server_encoding: 'UTF8',
    synchronous_commit: 'on',
  });
  expect((await stat(path.join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600);
  expect((await stat(path.join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
  await store.close();
});

test('stopping and opening again keeps every row and leaves no process and no socket folder', async () => {
  const first = await open();
  await write(first, 7);
  const socketDir = (await findPostmaster(path.join(dataDir, 'postgres')))?.socketDir ?? '';
  expect(existsSync(socketDir)).toBe(true);
  await first.close();
  expect(await runningPid()).toBeNull();
  expect(existsSync(socketDir)).toBe(false);
  expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres-password']);
  const second = await open();
  expect(await numbersIn(second)).toEqual(new Set([7]));
  await second.close();
});

test('killing the postmaster under writes loses no acknowledged row, and the server comes back by itself', async () => {
  const store = await open();
  const acknowledged: number[] = [];
  let next = 1;
  let writing = true;
  const writers = Array.from({ length: 4 }, async () => {
    while (writing) {
      const number = next++;
      await write(store, number).then(
        () => acknowledged.push(number),
        () => sleep(5),
      );
    }
  });
  for (let round = 0; round < 5; round++) {
    const before = acknowledged.length;
    await until(async () => acknowledged.length > before + 20);
    const pid = await runningPid();
    expect(pid).not.toBeNull();
    if (pid !== null) process.kill(pid, 'SIGKILL');
    await until(async () => ![null, pid].includes(await runningPid()));
  }
  const before = acknowledged.length;
  await until(async () => acknowledged.length > before + 20);
  writing = false;
  await Promise.all(writers);
  const stored = await numbersIn(store);
  expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  await store.close();
});

test('killing the platform under writes loses no acknowledged row, and the next one takes over at once', async () => {
  const { child, acknowledged } = await startPlatform();
  await until(async () => acknowledged.length > 50);
  child.kill('SIGKILL');
  const store = await open();
  const stored = await numbersIn(store);
  expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  await store.close();
  expect(await runningPid()).toBeNull();
});

test('a platform that is killed while the next one looks does not stand in its way', async () => {
  const { child, acknowledged } = await startPlatform();
  await until(async () => acknowledged.length > 50);
  let said = '';
  const listening = pino({ level: 'debug' }, { write: (line) => (said += line) });
  const opening = open(listening);
  await until(async () => said.includes('the data directory is held'));
  child.kill('SIGKILL');
  const stored = await numbersIn(await opening);
  expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  await (await opening).close();
});

test('a server whose platform was killed ends by itself', async () => {
  const { child } = await startPlatform();
  const pid = (await runningPid()) ?? 0;
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGKILL');
  await until(async () => (await runningPid()) === null);
});

test('a server that outlived both its platform and its shell is stopped by the next platform', async () => {
  const { child, acknowledged } = await startPlatform();
  const pid = (await runningPid()) ?? 0;
  const watchers = await childrenOf(child.pid ?? 0);
  const shells = [...watchers, ...(await Promise.all(watchers.map(childrenOf))).flat()].filter(
    (it) => it !== pid,
  );
  expect(shells).toHaveLength(2);
  for (const shell of shells) process.kill(shell, 'SIGSTOP');
  child.kill('SIGKILL');
  for (const shell of shells) process.kill(shell, 'SIGKILL');
  const store = await open();
  expect(isAlive(pid) && (await runningPid()) === pid).toBe(false);
  const stored = await numbersIn(store);
  expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  await store.close();
});

test('a second platform on the directory is refused with its name, and the first goes on', async () => {
  const { child, acknowledged } = await startPlatform();
  await expect(open()).rejects.toMatchObject({
    code: 'conflict',
    detail: `The data directory ${dataDir} is already used by another platform (process ${child.pid}, http://127.0.0.1:7070). Stop that one first, or give this one another --data-dir.`,
  });
  const before = acknowledged.length;
  await until(async () => acknowledged.length > before);
});

test('a second store in the same process is refused too', async () => {
  const store = await open();
  await expect(open()).rejects.toMatchObject({ code: 'conflict' });
  await write(store, 1);
  await store.close();
});

test('of platforms that start together on an empty directory exactly one gets it', async () => {
  const fixture = fileURLToPath(new URL('./embedded/platform.fixture.ts', import.meta.url));
  const states = Array.from({ length: 3 }, () => {
    const child = spawn(process.execPath, [fixture, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const state = { opened: false, ended: false, stderr: '' };
    child.stdout.on('data', () => {
      state.opened = true;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      state.stderr += chunk.toString();
    });
    child.once('close', () => {
      state.ended = true;
    });
    return state;
  });
  await until(async () => states.every((state) => state.opened || state.ended));
  expect(states.filter(({ opened, ended }) => opened && !ended)).toHaveLength(1);
  for (const { stderr } of states.filter(({ ended }) => ended)) {
    expect(stderr).toContain('is already used by another platform');
  }
});

test('a server that cannot start is reported with what PostgreSQL said', async () => {
  const starting = startEmbeddedServer({ dataDir, log, settings: { shared_buffers: 'plenty' } });
  await expect(starting).rejects.toMatchObject({
    code: 'database_unavailable',
    detail: expect.stringContaining('invalid value for parameter "shared_buffers": "plenty"'),
  });
});

test('a half-made cluster of a killed first start does not stand in the way', async () => {
  await mkdir(path.join(dataDir, 'postgres.new-999999999-abcdef'));
  const store = await open();
  expect((await readdir(dataDir)).sort()).toEqual(['platform.json', 'postgres', 'postgres-password']);
  expect(JSON.parse(await readFile(path.join(dataDir, 'platform.json'), 'utf8'))).toEqual({
    pid: process.pid,
    url: null,
  });
  await store.close();
});

/** Of the postmaster and each of its children: who it is and what it may. */
async function rightsOfServer(): Promise<Record<string, string>[]> {
  const pid = (await runningPid()) ?? 0;
  const pids = [pid, ...(await childrenOf(pid))];
  return Promise.all(
    pids.map(async (one) => {
      const lines = (await readFile(`/proc/${one}/status`, 'utf8')).split('\n');
      return Object.fromEntries(lines.map((line) => line.split(/:\s+/, 2) as [string, string]));
    }),
  );
}

async function expectOfItsOwn(): Promise<void> {
  const { uid, gid } = (await idsOf(databaseUser)) ?? { uid: 0, gid: 0 };
  expect(uid).toBeGreaterThan(0);
  expect(uid).not.toBe((await idsOf('nobody'))?.uid);
  const none = '0000000000000000';
  for (const rights of await rightsOfServer()) {
    expect(rights).toMatchObject({
      Uid: [uid, uid, uid, uid].join('\t'),
      Gid: [gid, gid, gid, gid].join('\t'),
      ...{ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none },
      NoNewPrivs: '1',
    });
    expect(rights['Groups']?.trim() ?? '').toBe('');
  }
  expect((await stat(path.join(dataDir, 'postgres', 'base'))).uid).toBe(uid);
}

test.runIf(isRoot)('root hands the server to a user of its own, without any capability [9.21]', async () => {
  const store = await open();
  await expectOfItsOwn();
  await store.close();
});

test.runIf(isRoot)(
  'a cluster that an earlier version gave to nobody becomes that of its user [9.21]',
  async () => {
    const first = await open();
    await write(first, 1);
    await first.close();
    const nobody = await idsOf('nobody');
    const cluster = path.join(dataDir, 'postgres');
    for (const name of [...(await readdir(cluster, { recursive: true })), '.'])
      await lchown(path.join(cluster, name), nobody?.uid ?? 0, nobody?.gid ?? 0);
    const again = await open();
    await expectOfItsOwn();
    expect(await numbersIn(again)).toEqual(new Set([1]));
    await again.close();
  },
);

test.runIf(isRoot)('the server reads no file of root, whatever folder the data is in [9.21]', async () => {
  const secret = path.join(dataDir, 'secret');
  await writeFile(secret, 'secret', { mode: 0o600 });
  const closed = dataDir;
  await chmod(closed, 0o700);
  dataDir = path.join(closed, 'data');
  const server = await startEmbeddedServer({ dataDir, log });
  // As the superuser of the database: what the system lets the process do is all that is left.
  const client = new pg.Client(server.connection('postgres'));
  await client.connect();
  for (const file of [secret, '/etc/shadow', '/root/.bashrc'])
    await expect(client.query('select pg_read_file($1)', [file])).rejects.toMatchObject({ code: '42501' });
  await client.end();
  await server.stop();
  dataDir = closed;
});

test.runIf(isRoot)('root may keep the data below a folder that is closed to everybody else', async () => {
  const closed = dataDir;
  await chmod(closed, 0o700);
  dataDir = path.join(closed, 'data');
  const store = await open();
  await write(store, 1);
  await store.close();
  dataDir = closed;
});

test.runIf(isRoot)(
  'root may have a folder of its own for temporary files, closed to everybody else [9.21]',
  async () => {
    const before = process.env['TMPDIR'];
    const closed = path.join(dataDir, 'tmp');
    await mkdir(closed, { mode: 0o700 });
    process.env['TMPDIR'] = closed;
    try {
      const store = await open();
      await write(store, 1);
      await store.close();
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  },
);

test.runIf(isRoot)('PostgreSQL runs from a checkout that is closed to everybody else', async () => {
  await chmod(dataDir, 0o700);
  const checkout = path.join(dataDir, 'checkout');
  cpSync(path.dirname(await findBinaries()), checkout, { recursive: true, verbatimSymlinks: true });
  const server = await startEmbeddedServer({
    dataDir: path.join(dataDir, 'data'),
    binDir: path.join(checkout, 'bin'),
    log,
  });
  const client = new pg.Client(server.connection('postgres'));
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
  await server.stop();
});

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
