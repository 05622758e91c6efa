// `powernode recover` as a program: beside a running platform and without one, on the embedded database and on one of
// one's own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { createEmptyDatabase } from '../store/test-database.ts';

// Each starts several programs, one after the other.
vi.setConfig({ testTimeout: 240_000 });

const main = path.join(import.meta.dirname, '..', 'main.ts');
const directories: string[] = [];
const running = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of running) await stop(child);
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function dataDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pn-recover-'));
  directories.push(directory);
  return directory;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

async function up(dataDir: string, environment: Record<string, string> = {}): Promise<Started> {
  const args = [main, 'up', '--port', '0', '--node-port', '0', '--data-dir', dataDir, '--log-level', 'error'];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...environment } });
  running.add(child);
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += String(text)));
  child.stderr.on('data', (text: Buffer) => (said += String(text)));
  // Its own database starts beside those of other tests.
  await expect.poll(() => said, { timeout: 120_000 }).toContain('admin-token');
  return { child, url: /http:\/\/\S+/.exec(said)?.[0] ?? '' };
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
}

interface Result {
  readonly code: number | null;
  readonly said: string;
}

async function recover(
  dataDir: string,
  of: { environment?: Record<string, string>; uid?: number; args?: string[] } = {},
): Promise<Result> {
  const child = spawn(process.execPath, [main, 'recover', '--data-dir', dataDir, ...(of.args ?? [])], {
    env: { ...process.env, ...of.environment },
    ...(of.uid === undefined ? {} : { uid: of.uid, gid: of.uid }),
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += String(text)));
  child.stderr.on('data', (text: Buffer) => (said += String(text)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

async function call(url: string, token: string, action: string, input: object) {
  const response = await fetch(`${url}/api/v1/actions/${action}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, Record<string, unknown>>,
  };
}

const tokenIn = async (dataDir: string, file: string) =>
  (await readFile(path.join(dataDir, file), 'utf8')).trim();

it('lets its owner in again, while the platform runs and while it does not [9.3]', async () => {
  const dataDir = await dataDirectory();
  const first = await up(dataDir);
  const admin = await tokenIn(dataDir, 'admin-token');
  const beside = await recover(dataDir);
  expect(beside).toMatchObject({ code: 0 });
  const file = path.join(dataDir, 'recovery-token');
  const token = await tokenIn(dataDir, 'recovery-token');
  expect(beside.said).toContain(file);
  expect(beside.said).not.toContain(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const who = await call(first.url, token, 'system_whoami', {});
  expect(who.body['operator']).toMatchObject({ role: 'owner', platform_admin: true });
  const { events } = (
    await call(first.url, admin, 'recent_events', { kind_prefix: 'system.account.recovered' })
  ).body;
  expect(events).toMatchObject([
    {
      severity: 'warning',
      actor: { kind: 'platform', name: 'powernode recover' },
      payload: { by: { user_id: process.getuid?.() } },
    },
  ]);
  expect(JSON.stringify(events)).not.toContain(token);
  await stop(first.child);
  expect(await recover(dataDir)).toMatchObject({ code: 0 });
  const later = await tokenIn(dataDir, 'recovery-token');
  expect(later).not.toBe(token);
  const second = await up(dataDir);
  for (const one of [token, later]) {
    expect((await call(second.url, one, 'system_whoami', {})).status).toBe(200);
  }
});

it('makes an owner where every one is disabled, of the account that is named [9.3]', {
  timeout: 180_000,
}, async () => {
  const dataDir = await dataDirectory();
  const { url } = await up(dataDir);
  const admin = await tokenIn(dataDir, 'admin-token');
  const made = await call(url, admin, 'system_create_account', { name: 'tenant' });
  const account_id = made.body['account']?.['id'];
  await call(url, admin, 'system_create_operator', { account_id, name: 'gone', role: 'admin' });
  expect(await recover(dataDir, { args: ['--account', 'nobody'] })).toMatchObject({
    code: 66,
    said: expect.stringContaining('no account "nobody"'),
  });
  expect(await recover(dataDir, { args: ['--account', 'tenant'] })).toMatchObject({ code: 0 });
  const who = await call(url, await tokenIn(dataDir, 'recovery-token'), 'system_whoami', {});
  expect(who.body).toMatchObject({
    account: { name: 'tenant' },
    operator: { role: 'owner', platform_admin: false, name: expect.stringMatching(/^recovered-/) },
  });
});

it('works with the login of a database of one’s own, beside the platform [9.3]', async () => {
  const database = await createEmptyDatabase();
  const environment = { DATABASE_URL: database.databaseUrl };
  const { url, child } = await up(await dataDirectory(), environment);
  const elsewhere = path.join(await dataDirectory(), 'not-there-yet');
  expect(await recover(elsewhere, { environment })).toMatchObject({ code: 0 });
  const token = await tokenIn(elsewhere, 'recovery-token');
  expect((await call(url, token, 'system_whoami', {})).status).toBe(200);
  await stop(child);
  expect(await recover(elsewhere, { environment })).toMatchObject({ code: 0 });
  await database.drop();
});

it('is refused to other users, and where there is no platform [9.3]', async () => {
  const dataDir = await dataDirectory();
  expect(await recover(dataDir)).toMatchObject({
    code: 78,
    said: expect.stringContaining('There is no platform'),
  });
  const { child } = await up(dataDir);
  if (process.getuid?.() === 0) {
    await chmod(dataDir, 0o711);
    const refused = await recover(dataDir, { uid: 65534 });
    expect(refused.code).not.toBe(0);
    expect(refused.said).toMatch(/belongs to the user with id 0/);
  }
  await expect(stat(path.join(dataDir, 'recovery-token'))).rejects.toThrow('ENOENT');
  await stop(child);
});
