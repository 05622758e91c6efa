// The program as a process: how it is told to end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';

test('a signal that comes several times at once ends it as one does', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'pn-main-'));
  const args = ['up', '--port', '0', '--node-port', '0', '--data-dir', dataDir];
  const platform = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args]);
  let said = '';
  platform.stdout.on('data', (text: Buffer) => (said += String(text)));
  await expect.poll(() => said).toContain('admin-token');
  const ended = once(platform, 'exit');
  for (let copy = 0; copy < 5; copy++) {
    platform.kill('SIGINT');
    await sleep(5);
  }
  expect(await ended).toEqual([0, null]);
  expect(existsSync(path.join(dataDir, 'platform.json'))).toBe(false);
  await rm(dataDir, { recursive: true });
});

/** Ends the process at the moment at which it says that it is up, before it does anything else. */
const endsAtItsWord = `
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (text, ...rest) => {
  const result = write(text, ...rest);
  if (String(text).includes('Powernode is up')) process.kill(process.pid, 'SIGINT');
  return result;
};`;

test('a signal that comes as soon as it says that it is up lets its database stop', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'pn-main-'));
  const preload = `data:text/javascript,${encodeURIComponent(endsAtItsWord)}`;
  const args = ['up', '--port', '0', '--node-port', '0', '--data-dir', dataDir];
  const main = path.join(import.meta.dirname, 'main.ts');
  const platform = spawn(process.execPath, ['--import', preload, main, ...args], { stdio: 'ignore' });
  expect(await once(platform, 'exit')).toEqual([0, null]);
  expect(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  await rm(dataDir, { recursive: true });
});
