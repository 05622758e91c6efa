// The embedded server when its platform dies at an awkward moment of it: found by killing both at random.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerAccount } from './embedded/account.ts';
import { makeSocketDir } from './embedded/cluster.ts';
import { ledger } from './embedded/ledger.fixture.ts';
import { findPostmaster } from './embedded/postmaster.ts';
import { openStore } from './open-store.ts';

const log = pino({ level: 'silent' });
let dataDir: string;
let platform: ChildProcess | null = null;

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-crash-'));
});

afterEach(async () => {
  platform?.kill('SIGKILL');
  platform = null;
  await until(async () => (await runningPid()) === null);
  await rm(dataDir, { recursive: true, force: true });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}

async function runningPid(): Promise<number | null> {
  return (await findPostmaster(path.join(dataDir, 'postgres')))?.pid ?? null;
}

/** A platform in a process of its own, with its server running. Answers the postmaster. */
async function startPlatform(): Promise<number> {
  const fixture = fileURLToPath(new URL('./embedded/platform.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [fixture, dataDir], { stdio: ['ignore', 'pipe', 'ignore'] });
  platform = child;
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(async () => said.includes('open'));
  return (await runningPid()) ?? 0;
}

/** The postmaster's children whose title says so. */
async function childrenCalled(postmaster: number, title: string): Promise<number[]> {
  const text = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').catch(() => '');
  const pids = text.split(' ').filter(Boolean).map(Number);
  const titles = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => titles[index]?.includes(title) === true);
}

/** Crashes the server and stops its recovery half-way, with the platform dead by then. */
async function dieInRecovery(): Promise<{ readonly postmaster: number }> {
  const postmaster = await startPlatform();
  // It would give up at the first write that fails.
  platform?.kill('SIGSTOP');
  const [writer = 0] = await childrenCalled(postmaster, 'walwriter');
  process.kill(writer, 'SIGKILL');
  let recovery = 0;
  while (recovery === 0) [recovery = 0] = await childrenCalled(postmaster, ': startup');
  process.kill(recovery, 'SIGSTOP');
  platform?.kill('SIGKILL');
  await until(async () =>
    (await readFile(path.join(dataDir, 'postgres/postmaster.pid'), 'utf8')).includes('stopping'),
  );
  process.kill(recovery, 'SIGCONT');
  return { postmaster };
}

test('a platform killed while its server recovers from a crash has a successor soon', async () => {
  const { postmaster } = await dieInRecovery();
  const store = await openStore({ dataDir, databaseUrl: null, log, migrations: [ledger] });
  expect(await runningPid()).not.toBe(postmaster);
  await store.close();
});

test('a server that recovers from a crash while its platform is killed ends, with no successor too', async () => {
  await dieInRecovery();
  await until(async () => (await runningPid()) === null);
});

test('the folder of the socket may vanish while it is looked at', async () => {
  const account: ServerAccount = { owner: null, command: (file, args) => ({ file, args }) };
  let done = false;
  let dir = '';
  const remover = (async () => {
    while (!done) {
      if (dir !== '') await rm(dir, { recursive: true, force: true });
      await sleep(0);
    }
  })();
  for (let round = 0; round < 300; round++) dir = await makeSocketDir(dataDir, account);
  done = true;
  await remover;
  await rm(dir, { recursive: true, force: true });
});

test('a start whose server is killed under its hands is given up with a sentence, not with a stack', async () => {
  const pidFile = path.join(dataDir, 'postgres/postmaster.pid');
  const serves = async () => {
    const [text, pid] = [await readFile(pidFile, 'utf8').catch(() => ''), await runningPid()];
    return pid !== null && text.startsWith(`${pid}\n`) && /^ready/m.test(text);
  };
  const given: unknown[] = [];
  for (let round = 0; round < 10; round++) {
    const opening = openStore({ dataDir, databaseUrl: null, log, migrations: [ledger] });
    const ended = opening.then(
      (store) => store.close(),
      (error: unknown) => {
        given.push(error);
      },
    );
    await until(serves);
    await sleep(4 * round);
    const pid = await runningPid();
    if (pid !== null) process.kill(pid, 'SIGKILL');
    await ended;
  }
  expect(given.length).toBeGreaterThan(0);
  for (const error of given) expect(error).toMatchObject({ code: 'database_unavailable' });
});
