// The one-file agent for arm64, under user-mode emulation: it starts, knows what it is, and joins a platform. What it
// does to a kernel is the same code on every processor, and not tried here. On demand, like the rest of this folder.
import { execFile, execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlatformProgram, startPlatformProgram } from '../../stage/platform-program.ts';

const checkout = path.join(import.meta.dirname, '..', '..', '..');
const emulator = '/usr/bin/qemu-aarch64-static';
/** Debian's libc6-arm64-cross and libstdc++6-arm64-cross. */
const libraries = '/usr/aarch64-linux-gnu';
const canEmulate = existsSync(emulator) && existsSync(`${libraries}/lib/libstdc++.so.6`);

// apt-get install qemu-user-static libstdc++6-arm64-cross libatomic1-arm64-cross
describe.skipIf(!canEmulate)('the agent for arm64', () => {
  let folder: string;
  let program: string;
  let state: string;
  let platform: PlatformProgram;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'powernode-arm64-'));
    program = path.join(folder, 'powernode');
    state = path.join(folder, 'state');
    execFileSync(path.join(checkout, 'powernode'), ['agent', 'build'], { stdio: 'ignore' });
    const packed = path.join(checkout, 'packages/agent/dist/powernode-agent-linux-arm64.gz');
    await pipeline(createReadStream(packed), createGunzip(), createWriteStream(program, { mode: 0o755 }));
    platform = await startPlatformProgram(['--node-host', '127.0.0.1', '--node-url', 'https://127.0.0.1:0']);
  });
  afterAll(async () => {
    await platform.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]) =>
    promisify(execFile)(emulator, ['-L', libraries, program, 'agent', ...args], { encoding: 'utf8' });

  it('joins a platform, which lists it [9.18]', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { join_token: made } = await platform.action<{ join_token: { token: string; command: string } }>(
      'system_create_join_token',
      {},
    );
    const url = /https:\/\/[^/]+/.exec(made.command)?.[0] ?? '';
    const args = ['--platform', url, '--token', made.token, '--hostname', 'arm', '--state-dir', state];
    expect((await run('join', ...args)).stdout).toContain('Joined ');
    const { instances } = await platform.action<{ instances: { hostname: string }[] }>(
      'system_list_instances',
      {},
    );
    expect(instances.map(({ hostname }) => hostname)).toEqual(['arm']);
  });
});
